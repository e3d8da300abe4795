#pragma once

#include <array>
#include <span>

#include "workers/kernels/grid.h"

// What every implementation of rounding on grids tries.
namespace bitwright::worker {

// Start. Of the scale at which a group's largest weight meets the end of the codebook: from clipping most to reaching a
// bit further, kGridFactors of them evenly spread.
inline constexpr double kLeastGridFactor = 0.35, kMostGridFactor = 1.1;
inline constexpr int kGridFactors = 31;
// Fits of scale and minimum by least squares, codes chosen anew after each.
inline constexpr int kGridFits = 4;
// On one level, neighbours of the scale found, before they are stored.
inline constexpr std::array kGridStoredFactors = {1.0, 0.5, 0.75, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.5, 2.0};
// On two, of the super-scale and super-minimum at which the largest integer serves the largest group.
inline constexpr std::array kGridSuperFactors = {1.0, 0.9, 0.95, 1.05, 1.12};
inline constexpr std::array kGridSuperMinimumFactors = {1.0, 0.93, 1.07};

// Sweep. On one level, what it multiplies the scale of a group by, and by how many scales it moves the minimum.
inline constexpr std::array kGridScaleSteps = {0.92f, 0.96f, 0.98f, 1.02f, 1.04f, 1.08f};
inline constexpr std::array kGridPowerSteps = {0.5f, 2.0f};
inline constexpr std::array kGridMinimumSteps = {-0.5f, -0.25f, 0.25f, 0.5f};

constexpr std::span<const float> GridScaleSteps(ScaleType type) {
  return type == ScaleType::kE8M0 ? std::span<const float>(kGridPowerSteps) : kGridScaleSteps;
}

}  // namespace bitwright::worker
