#pragma once

#include <optional>
#include <vector>

#include "bitwright/v1/plans.pb.h"
#include "bitwright/v1/recipes.pb.h"
#include "workers/families/program.h"
#include "workers/formats/format.h"
#include "workers/quantize/unit_rounder.h"
#include "workers/sensitivity/profile.h"
#include "workers/targets/target.h"

namespace bitwright::worker {

// From the recipe's messages to the options of the libraries; unset fields get the defaults stated in recipes.proto.
RoundingOptions RoundingOf(const v1::Recipe::Rounding& rounding);
// Of the formats that a target stores; it must outlive them.
ProfileOptions ProfileOptionsOf(const v1::Recipe& recipe, const Target& target);

// Of the formats in which units are measured, whatever target a plan is for: what a measurement says of predictions at
// a width, it says of every target's, and one job measures for all of them. They are the default target's that the
// recipe allows, or all of these where it allows none.
ProfileOptions CheckOptionsOf(const v1::Recipe& recipe);

// What a calibrate or merge task makes of second moments: nothing where its params have no factoring.
template <typename Params>
std::optional<FactorOptions> FactoringOf(const Params& params) {
  if (!params.has_factoring()) return std::nullopt;
  FactorOptions options;
  options.act_order = params.factoring().act_order();
  if (params.factoring().damping() > 0) options.damping = params.factoring().damping();
  return options;
}

// Formats that target, shape and recipe allow a unit, in the target's order.
std::vector<Format> FormatsOf(const v1::Recipe::Formats& restriction, const Target& target, const UnitSpec& unit);

// Bytes of codes and scales of all linears of a unit.
int64_t UnitBytes(const Target& target, const UnitSpec& unit, const Format& format, DType type);
// Those of one linear of its experts, of all of these.
int64_t LinearBytes(const Target& target, const UnitSpec& unit, size_t linear, const Format& format, DType type);

}  // namespace bitwright::worker
