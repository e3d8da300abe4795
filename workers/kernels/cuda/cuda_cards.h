#pragma once

#include "absl/status/statusor.h"
#include "workers/kernels/cuda/cuda_memory.h"

namespace bitwright::worker::cuda {

// The process's context on a card, made by the first call for it and kept to the end. UNAVAILABLE, reason
// DEVICE_UNAVAILABLE.
absl::StatusOr<const Context*> ContextOf(int ordinal);

}  // namespace bitwright::worker::cuda
