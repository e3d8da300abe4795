#include "proto/base/base_errors.h"

#include "proto/base/errors.h"

namespace bitwright {

absl::Status InterruptedError() {
  return MakeError(absl::StatusCode::kCancelled, "INTERRUPTED", "interrupted before the end");
}

}  // namespace bitwright
