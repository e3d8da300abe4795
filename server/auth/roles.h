#pragma once

#include <cstdint>
#include <initializer_list>

namespace bitwright::server {

// What a principal may do.
enum class Role : uint8_t {
  kSubmitter = 1,  // bring models, run jobs, read results of its own tenant
  kOperator = 2,   // see and steer the fleet, caches and limits
  kWorker = 4,     // lease tasks, read their inputs, hand in results
};

// In the order of their words (proto/contract/principals.h).
inline constexpr Role kEachRole[] = {Role::kSubmitter, Role::kOperator, Role::kWorker};

// A set of them.
class Roles {
 public:
  constexpr Roles() = default;
  constexpr Roles(std::initializer_list<Role> roles) {
    for (const Role role : roles) bits_ |= static_cast<uint8_t>(role);
  }
  static constexpr Roles All() { return {Role::kSubmitter, Role::kOperator, Role::kWorker}; }

  constexpr Roles With(Role role) const {
    Roles more = *this;
    more.bits_ |= static_cast<uint8_t>(role);
    return more;
  }
  constexpr bool Has(Role role) const { return (bits_ & static_cast<uint8_t>(role)) != 0; }
  constexpr bool HasAnyOf(Roles others) const { return (bits_ & others.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(Roles, Roles) = default;

 private:
  uint8_t bits_ = 0;
};

}  // namespace bitwright::server
