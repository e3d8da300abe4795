#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::worker {

// What a process asks about cards without computing on any.

// The card's own number, 32 hexadecimal digits, the same in every process of the machine; of a part of a card (MIG)
// that of the part. Empty where there is no such card.
std::string CudaCardId(int ordinal);

// Loads the driver, cuBLAS and cuSOLVER into this process, so that they count in its code version (loaded_files.h) and
// need not be looked for later. UNAVAILABLE, reason DEVICE_UNAVAILABLE: one of them is not there, or this build has no
// CUDA.
absl::Status LoadCudaLibraries();

}  // namespace bitwright::worker
