#pragma once

#include <cstdint>

namespace bitwright::worker {

// Gives up, for the whole process and for good, what no task needs: new programs and processes, sockets, tracing, other
// namespaces, signals to others. Such calls then fail with EPERM; threads stay allowed. False where the kernel or the
// build has no seccomp: the process then runs on without the filter.
bool Confine();

// Bounds private writable memory (RLIMIT_DATA; mapped files do not count). 0: no bound.
void LimitMemory(int64_t bytes);

}  // namespace bitwright::worker
