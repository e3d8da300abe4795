#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "bitwright/v1/workers.pb.h"
#include "proto/contract/devices.h"

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

// What of a device's memory no task has: its context, the libraries' workspace, and what is lost between arrays.
inline constexpr int64_t kDeviceReserveBytes = int64_t{1} << 30;

// Bytes of its device's memory that its numeric tasks have; 0: they compute in memory_bytes. A graphics processor of
// which nothing was said takes any.
inline int64_t TaskDeviceMemory(const v1::WorkerCapacity& worker) {
  if (worker.device_memory_bytes() > 0) return std::max<int64_t>(1, worker.device_memory_bytes() - kDeviceReserveBytes);
  return worker.device() == DeviceKind::kCuda ? std::numeric_limits<int64_t>::max() : 0;
}

}  // namespace bitwright
