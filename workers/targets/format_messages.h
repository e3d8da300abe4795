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

namespace bitwright::worker {

// Between a format and its message. INVALID_ARGUMENT, reason FORMAT_UNKNOWN: no kind is set, or no such format.
absl::StatusOr<Format> FormatOf(const v1::Format& message);
v1::Format ToProto(const Format& format);

// That of a plan whose formats passed FormatOf.
Format PlannedFormat(const v1::UnitPlan& unit);

// Of the formats of kind T (IntFormat, BlockType) the one that most weights of a plan have; nothing where there are
// none. Plans as for PlannedFormat.
template <typename T>
std::optional<T> MostUsed(const v1::ModelInfo& info, const v1::Plan& plan) {
  std::map<T, int64_t> weights;
  for (int u = 0; u < plan.units_size(); ++u) {
    const Format format = PlannedFormat(plan.units(u));
    if (const T* own = std::get_if<T>(&format)) weights[*own] += info.units(u).weights();
  }
  const auto most = std::ranges::max_element(weights, {}, [](const auto& entry) { return entry.second; });
  return most == weights.end() ? std::nullopt : std::optional(most->first);
}

// Whether both name the same format, or none.
bool SameFormat(const v1::Format& a, const v1::Format& b);

// "int4-g128", "Q4_K". Of a message that passed FormatOf.
std::string NameOf(const v1::Format& message);

}  // namespace bitwright::worker
