#pragma once

#include <chrono>
#include <cstdint>

namespace bitwright::worker {

// Deadline of a call that moves so many bytes: a minute, and what a link of 256 kB/s would need.
inline std::chrono::system_clock::time_point TransferDeadline(int64_t bytes) {
  return std::chrono::system_clock::now() + std::chrono::seconds(60 + bytes / 256'000);
}

}  // namespace bitwright::worker
