#include "workers/quantize/quantize_errors.h"

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status MomentNotFiniteError(int64_t row, int64_t column) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MOMENT_NOT_FINITE",
                   absl::StrCat("the second moment's element (", row, ", ", column,
                                ") is not a finite number, or negative on the diagonal: check the calibration data and "
                                "the model's weights"),
                   {{"row", absl::StrCat(row)}, {"column", absl::StrCat(column)}});
}

absl::Status MomentNotPositiveError(int64_t column, double damping) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "MOMENT_NOT_POSITIVE",
                   absl::StrCat("the second moment with damping ", damping, " is not positive definite at input ",
                                column, ": raise the recipe's rounding.damping or calibrate on more tokens"),
                   {{"column", absl::StrCat(column)}, {"damping", absl::StrCat(damping)}});
}

absl::Status WeightsDamagedError(const std::string& name, const std::string& why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "WEIGHTS_DAMAGED", "quantized weights '" + name + "': " + why,
                   {{"name", name}});
}

}  // namespace bitwright::worker
