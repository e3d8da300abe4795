#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "workers/formats/format.h"
#include "workers/formats/unit_formats.h"

namespace bitwright::worker {

// Between a format and its message. INVALID_ARGUMENT, reason FORMAT_UNKNOWN: no kind is set, or no such format.
absl::StatusOr<Format> FormatOf(const v1::Format& message);
v1::Format ToProto(const Format& format);

// Likewise, of a unit whose linears may differ.
absl::StatusOr<UnitFormats> UnitFormatsOf(const v1::Format& message);
v1::Format ToProto(const UnitFormats& formats);

// Those of a plan whose formats passed UnitFormatsOf.
UnitFormats PlannedFormats(const v1::UnitPlan& unit);
// Of a plan for a target that does not let linears differ.
Format PlannedFormat(const v1::UnitPlan& unit);

// Of the formats of kind T (IntFormat, BlockType) the one that most weights of a plan have; nothing where there are
// none. Plans as for PlannedFormats.
template <typename T>
std::optional<T> MostUsed(const v1::ModelInfo& info, const v1::Plan& plan) {
  std::map<T, int64_t> weights;
  for (int u = 0; u < plan.units_size(); ++u) {
    const UnitFormats formats = PlannedFormats(plan.units(u));
    for (int l = 0; l < info.units(u).linears_size(); ++l) {
      const auto& linear = info.units(u).linears(l);
      const T* own = std::get_if<T>(&formats.Of(static_cast<size_t>(l)));
      if (own != nullptr) weights[*own] += linear.out_features() * linear.in_features();
    }
  }
  const auto most = std::ranges::max_element(weights, {}, [](const auto& entry) { return entry.second; });
  return most == weights.end() ? std::nullopt : std::optional(most->first);
}

// Whether both name the same formats, or none.
bool SameFormat(const v1::Format& a, const v1::Format& b);

// "int4-g128", "Q4_K", "Q4_K+Q6_K". Of a message that passed UnitFormatsOf.
std::string NameOf(const v1::Format& message);

}  // namespace bitwright::worker
