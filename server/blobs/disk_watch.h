#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright::server {

struct DiskSpace {
  int64_t free_bytes = 0;  // to this process, without what the system reserves
  int64_t total_bytes = 0;
};
// Looks at a file system; tests bring their own. UNAVAILABLE, reason BLOB_UNREADABLE.
using DiskProbe = std::function<absl::StatusOr<DiskSpace>()>;
DiskProbe ProbeFolder(std::string folder);

// How many free bytes are too few: the smaller of what is given; with nothing given, never.
struct Watermark {
  std::optional<int64_t> bytes;
  std::optional<double> fraction;  // of the whole file system, 0 … 1

  int64_t BytesOf(int64_t total_bytes) const;
};
inline constexpr Watermark kDefaultDiskLow{.bytes = int64_t{2} << 30, .fraction = 0.05};
inline constexpr Watermark kDefaultDiskFull{.bytes = int64_t{512} << 20, .fraction = 0.01};

// Keeps a server whose disk runs full able to finish and to answer: below `low` no new work should begin, below `full`
// no upload is taken; reads, heartbeats and results go on. What was given up is taken up again once a tenth more than
// the mark is free, so that it does not change back and forth. Logs each change once. Thread-safe.
class DiskWatch {
 public:
  enum class State { kRoomy, kLow, kFull };

  // Looks once. `low` is not below `full`.
  DiskWatch(DiskProbe probe, Watermark low, Watermark full);

  // Looks again; to be called each second. A file system that cannot be asked leaves the state as it was.
  void Look();

  State state() const { return state_.load(std::memory_order_relaxed); }
  bool accepts_work() const { return state() == State::kRoomy; }
  // OK, or RESOURCE_EXHAUSTED, reason DISK_FULL.
  absl::Status CheckUpload() const;
  int64_t free_bytes() const { return free_.load(std::memory_order_relaxed); }
  int64_t total_bytes() const { return total_.load(std::memory_order_relaxed); }

 private:
  State Judge(const DiskSpace& space) const;
  void Tell(State before, State now, const DiskSpace& space) const;

  const DiskProbe probe_;
  const Watermark low_;
  const Watermark full_;
  std::atomic<State> state_{State::kRoomy};
  std::atomic<int64_t> free_{0};
  std::atomic<int64_t> total_{0};
  std::atomic<int64_t> full_bytes_{0};
  std::atomic<bool> blind_{false};  // the last look failed
};

}  // namespace bitwright::server
