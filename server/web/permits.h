#pragma once

#include <atomic>
#include <optional>
#include <utility>

namespace bitwright::server {

// At most so many of something at once. Thread-safe; outlives its permits.
class Permits {
 public:
  explicit Permits(int most) : most_(most) {}
  Permits(const Permits&) = delete;
  Permits& operator=(const Permits&) = delete;

  // One of them, given back when it goes.
  class Permit {
   public:
    explicit Permit(std::atomic<int>& taken) : taken_(&taken) {}
    ~Permit() {
      if (taken_ != nullptr) --*taken_;
    }
    Permit(Permit&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(taken_, other.taken_);
      return *this;
    }

   private:
    std::atomic<int>* taken_;
  };

  // Nothing: all are taken.
  std::optional<Permit> Take() {
    if (taken_.fetch_add(1) < most_) return Permit(taken_);
    --taken_;
    return std::nullopt;
  }
  int most() const { return most_; }

 private:
  const int most_;
  std::atomic<int> taken_{0};
};

}  // namespace bitwright::server
