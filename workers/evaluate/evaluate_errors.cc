#include "workers/evaluate/evaluate_errors.h"

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status EvaluationEmptyError() {
  return MakeError(absl::StatusCode::kFailedPrecondition, "EVALUATION_EMPTY",
                   "no token was scored: give an evaluation text of at least two tokens");
}

absl::Status EvaluationNotFiniteError(int64_t token) {
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "EVALUATION_NOT_FINITE",
      absl::StrCat("the loss of scored token ", token,
                   " is not a finite number: the model overflows on this text; check its weights, or choose "
                   "more bits"),
      {{"token", absl::StrCat(token)}});
}

}  // namespace bitwright::worker
