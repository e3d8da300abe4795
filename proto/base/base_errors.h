#pragma once

#include "absl/status/status.h"

namespace bitwright {

absl::Status InterruptedError();  // CANCELLED, INTERRUPTED

}  // namespace bitwright
