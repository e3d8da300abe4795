#pragma once

#include <cstdint>

namespace bitwright::worker {

// Largest resident size of this process since the last reset (VmHWM; mapped file pages count while resident). Where the
// kernel cannot reset it, since the process began.
int64_t PeakMemoryBytes();
void ResetPeakMemory();

}  // namespace bitwright::worker
