#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/formats/format.h"
#include "workers/quantize/unit_rounder.h"
#include "workers/sensitivity/curvature_file.h"

namespace bitwright::worker {

// What the allocator needs to know of a unit: what every format costs.
struct UnitProfile {
  std::string unit;
  struct Option {
    Format format;
    double proxy = 0;  // tr(ΔW H ΔWᵀ), summed over the unit's linears, experts by their share of the tokens
    // ½ · Σ_r G_rr · (ΔW H ΔWᵀ)_rr over all rows, nats of KL divergence per token. Of formats that round inputs too it
    // leaves out what that costs; what is measured of a unit or a plan does not.
    double predicted = 0;
    std::vector<double> linears = {};  // of `predicted`: what each linear of an expert has of it, over all experts
  };
  std::vector<Option> options;     // in the order asked for
  std::vector<int64_t> unreached;  // experts that calibration did not reach
};

struct ProfileOptions {
  RoundingOptions rounding;
  int middle_bits = 3;
  std::vector<int> checked_bits;
  // Formats to give losses for, of a unit; at least one.
  std::function<std::vector<Format>(const UnitSpec& unit)> formats;
};

// Rounds every unit of blocks [begin, end) to every format, as it would be quantized, and prices the errors by the
// curvature. No pass through the model: the cost grows with the number of blocks. Live at a time: one unit's weights
// and one factorization.
absl::StatusOr<std::vector<UnitProfile>> ProfileBlocks(const Model& model, Device& device,
                                                       const StatisticsFile& statistics,
                                                       const CurvatureFiles& curvature, int64_t begin, int64_t end,
                                                       const ProfileOptions& options,
                                                       const std::function<void(double)>& progress);

}  // namespace bitwright::worker
