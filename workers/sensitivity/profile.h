#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/evaluate/head_comparison.h"
#include "workers/model/block_runner.h"
#include "workers/quantize/unit_rounder.h"

namespace bitwright::worker {

// What the allocator needs to know of a unit: the loss of every format, in nats of KL divergence per token.
//
// The loss of a format is α · proxy, proxy = tr(ΔW H ΔWᵀ) of the rounding actually used, summed over the unit's
// linears. α is measured: the KL divergence of the model with this unit alone quantized, over its proxy, at one middle
// width; for the lowest widths, where one unit can be catastrophic although its proxy is small, at that width itself. A
// curvature-based sensitivity takes the place of this one by filling the same structure.
struct UnitSensitivity {
  std::string unit;
  struct Measurement {
    IntFormat format;
    double kl = 0;
    double kl_standard_error = 0;
    double proxy = 0;
    double alpha = 0;
  };
  std::vector<Measurement> measurements;
  struct FormatLoss {
    IntFormat format;
    double proxy = 0;
    double loss = 0;
    bool measured = false;
  };
  std::vector<FormatLoss> formats;  // in the order asked for
};

struct ProfileOptions {
  RoundingOptions rounding;
  int middle_bits = 3;
  std::vector<int> checked_bits;
  // Formats to give losses for, of a unit with this input width; at least one.
  std::function<std::vector<IntFormat>(int64_t in_features)> formats;
};

// Calibration windows that units are measured on.
struct ProfileData {
  std::span<const int32_t> ids;  // [windows · window]
  Matrix reference;              // [windows · window, hidden], final hidden states of the unquantized model
};

// Profiles the units of blocks [begin, end). Live at a time: one block, its variants of one unit each, and one block
// further on; activations of all variants. Rounding runs on the pool.
absl::StatusOr<std::vector<UnitSensitivity>> ProfileBlocks(BlockRunner& runner, ThreadPool& pool,
                                                           const StatisticsFile& statistics, int64_t begin, int64_t end,
                                                           const ProfileData& data, const ProfileOptions& options,
                                                           const std::function<void(double)>& progress);

}  // namespace bitwright::worker
