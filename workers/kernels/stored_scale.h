#pragma once

#include <array>
#include <span>

#include "workers/kernels/grid.h"

namespace bitwright::worker {

// The number of `type` nearest to a scale; of E8M0 by its logarithm.
float StoredScale(ScaleType type, double scale);

// On one level, what a sweep multiplies the scale of a group by, and by how many scales it moves the minimum.
inline constexpr std::array kGridScaleSteps = {0.92f, 0.96f, 0.98f, 1.02f, 1.04f, 1.08f};
inline constexpr std::array kGridPowerSteps = {0.5f, 2.0f};
inline constexpr std::array kGridMinimumSteps = {-0.5f, -0.25f, 0.25f, 0.5f};

constexpr std::span<const float> GridScaleSteps(ScaleType type) {
  return type == ScaleType::kE8M0 ? std::span<const float>(kGridPowerSteps) : kGridScaleSteps;
}

}  // namespace bitwright::worker
