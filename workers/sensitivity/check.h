#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/evaluate/summary.h"
#include "workers/model/block_runner.h"
#include "workers/sensitivity/curvature_file.h"
#include "workers/sensitivity/profile.h"

namespace bitwright::worker {

// What the rounding of one unit costs, measured: the KL divergence of the model with this unit alone quantized.
struct UnitCheck {
  std::string unit;
  struct Measurement {
    Format format;
    Estimate kl;           // nats per token
    double predicted = 0;  // the same, as UnitProfile::Option has it
  };
  std::vector<Measurement> measurements;  // of the checked widths, then the middle one
};

// What units are measured on.
struct CheckData {
  std::span<const int32_t> ids;  // [windows · window]
  Matrix entering;               // [windows · window, hidden], the stream that enters the first of the blocks
  Matrix reference;              // of the same shape, final hidden states of the unquantized model
};

// What units are rounded and priced by, of their blocks.
struct CheckMoments {
  const StatisticsFile& statistics;
  const CurvatureFiles& curvature;
};

// One unit to measure.
struct CheckedUnit {
  int64_t block = 0;
  size_t unit = 0;  // of BlockProgram::units
};

// The formats in which units are measured: for each checked width and the middle one the nearest width among `formats`
// (of two equally near ones the larger) in its most typical format (formats/format.h), each once.
std::vector<Format> CheckedFormats(const ProfileOptions& options, std::span<const Format> formats);

// Measures `units`, whose blocks rise and begin at `begin` or later, at the middle and the checked widths, all in one
// pass: a unit's streams leave the unquantized one at its block, and every later block is loaded once for all of them.
// Live at a time: one block, one of its units once more, and a stream of activations for each measurement. Errors of
// LoadBlock, CurvatureFiles::Rows and ForEachInput.
absl::StatusOr<std::vector<UnitCheck>> CheckUnits(BlockRunner& runner, const CheckMoments& moments, int64_t begin,
                                                  std::span<const CheckedUnit> units, const CheckData& data,
                                                  const ProfileOptions& options,
                                                  const std::function<void(double)>& progress);

}  // namespace bitwright::worker
