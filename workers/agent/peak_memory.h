#pragma once

#include <cstdint>

namespace bitwright::worker {

// Largest resident size of this process since the last reset (VmHWM; mapped file pages count while resident). Where the
// kernel cannot reset it, since the process began.
int64_t PeakMemoryBytes();
void ResetPeakMemory();

// Memory that tasks of this machine can have: physical memory, or the control group's limit where that is lower.
int64_t MachineMemoryBytes();

}  // namespace bitwright::worker
