#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/checkpoint/safetensors.h"
#include "workers/sensitivity/curvature.h"

namespace bitwright::worker {

// Curvature in a safetensors file: "{unit}/G" f32 [out] of each unit, and "tokens" i64 [1], over how many.
absl::Status WriteCurvature(const std::string& path, const std::vector<UnitCurvature>& units, int64_t tokens);

// The number of tokens in such a file. CURVATURE_DAMAGED, TENSOR_MISSING.
absl::StatusOr<int64_t> TokensOf(const SafetensorsFile& file);

// Several of these, each over other tokens, as one.
class CurvatureFiles {
 public:
  // INVALID_ARGUMENT when one is damaged; CURVATURE_DAMAGED.
  static absl::StatusOr<CurvatureFiles> Open(const std::vector<std::string>& paths);

  // The diagonal of G of a unit with so many output rows, over the tokens of all files: summed in f64, files in order.
  // TENSOR_MISSING, CURVATURE_DAMAGED.
  absl::StatusOr<std::vector<double>> Rows(const std::string& unit, int64_t out) const;

 private:
  struct Part {
    SafetensorsFile file;
    double share = 0;  // of all tokens
  };
  std::vector<Part> parts_;
};

}  // namespace bitwright::worker
