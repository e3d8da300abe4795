#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "bitwright/v1/workers.pb.h"

// What a worker's announcement means to whoever gives it tasks or says what it could take. Pure.
namespace bitwright {

// Tasks that it runs at the same time, at least 1.
inline int SlotsOf(const v1::WorkerCapacity& worker) { return std::max(1, worker.slots()); }

// Threads that a task has there: slots share its cores evenly.
inline int ThreadsPerTask(const v1::WorkerCapacity& worker) {
  return std::max(1, static_cast<int>(worker.cores()) / SlotsOf(worker));
}

// Bytes that all of its tasks have together: one may have them alone, and one that fits beside no other waits until it
// does. A worker that did not say how many it has takes any.
inline int64_t TaskMemory(const v1::WorkerCapacity& worker) {
  return worker.memory_bytes() > 0 ? worker.memory_bytes() : std::numeric_limits<int64_t>::max();
}

}  // namespace bitwright
