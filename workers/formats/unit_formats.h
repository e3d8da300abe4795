#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/formats/format.h"

namespace bitwright::worker {

// How the linears of a unit are stored: all in one format, or, where the target lets them differ, those of one expert
// each in a format of its own, in their order. A value.
class UnitFormats {
 public:
  explicit(false) UnitFormats(const Format& format) : formats_{format} {}
  // At least one. Where all are equal, they are one.
  explicit UnitFormats(std::vector<Format> formats);

  // Of linear number l of the unit, whose linears stand expert after expert.
  const Format& Of(size_t l) const& { return formats_[l % formats_.size()]; }
  const Format& Of(size_t l) && = delete;
  // One, or as many as an expert has linears.
  const std::vector<Format>& all() const& { return formats_; }
  std::vector<Format> all() && { return std::move(formats_); }
  bool differ() const { return formats_.size() > 1; }

  // "Q4_K"; where they differ "Q4_K+Q4_K+Q6_K".
  std::string Name() const;
  // Inverse of Name. INVALID_ARGUMENT, reason FORMAT_UNKNOWN.
  static absl::StatusOr<UnitFormats> Parse(std::string_view name);

  friend bool operator==(const UnitFormats&, const UnitFormats&) = default;

 private:
  std::vector<Format> formats_;
};

}  // namespace bitwright::worker
