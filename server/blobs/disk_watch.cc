#include "server/blobs/disk_watch.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "proto/base/log.h"
#include "server/blobs/blob_errors.h"

namespace bitwright::server {
namespace {

// What must be free before a state is left for a better one.
int64_t Leaving(int64_t mark) { return mark + mark / 10; }

}  // namespace

DiskProbe ProbeFolder(std::string folder) {
  return [folder = std::move(folder)]() -> absl::StatusOr<DiskSpace> {
    struct statvfs info {};
    if (::statvfs(folder.c_str(), &info) != 0) return BlobUnreadableError(folder, errno);
    const auto unit = static_cast<int64_t>(info.f_frsize);
    return DiskSpace{.free_bytes = static_cast<int64_t>(info.f_bavail) * unit,
                     .total_bytes = static_cast<int64_t>(info.f_blocks) * unit};
  };
}

int64_t Watermark::BytesOf(int64_t total_bytes) const {
  if (!bytes && !fraction) return 0;
  constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
  const int64_t part = fraction ? static_cast<int64_t>(*fraction * static_cast<double>(total_bytes)) : kNoLimit;
  return std::min(bytes.value_or(kNoLimit), part);
}

DiskWatch::DiskWatch(DiskProbe probe, Watermark low, Watermark full)
    : probe_(std::move(probe)), low_(low), full_(full) {
  Look();
}

void DiskWatch::Look() {
  const absl::StatusOr<DiskSpace> space = probe_();
  const bool was_blind = blind_.exchange(!space.ok());
  if (!space.ok()) {
    if (!was_blind) LOG(ERROR) << "the disk cannot be watched: " << std::string(space.status().message());
    return;
  }
  free_ = space->free_bytes;
  total_ = space->total_bytes;
  full_bytes_ = full_.BytesOf(space->total_bytes);
  const State now = Judge(*space);
  const State before = state_.exchange(now);
  if (before != now) Tell(before, now, *space);
}

DiskWatch::State DiskWatch::Judge(const DiskSpace& space) const {
  const State before = state();
  int64_t low = low_.BytesOf(space.total_bytes);
  int64_t full = full_.BytesOf(space.total_bytes);
  if (before == State::kFull) full = Leaving(full);
  if (before != State::kRoomy) low = Leaving(low);
  if (space.free_bytes < full) return State::kFull;
  return space.free_bytes < low ? State::kLow : State::kRoomy;
}

void DiskWatch::Tell(State before, State now, const DiskSpace& space) const {
  const auto fields = [&](LogMessage& line) -> LogMessage& {
    return line.With("free_bytes", space.free_bytes)
        .With("low_bytes", low_.BytesOf(space.total_bytes))
        .With("full_bytes", full_.BytesOf(space.total_bytes));
  };
  if (now == State::kFull) {
    LOG(ERROR).With(fields) << "the disk is full: uploads are refused and nothing new is leased; make room";
  } else if (now == State::kLow) {
    LOG(WARNING).With(fields) << (before == State::kFull ? "uploads are taken again; still nothing new is leased"
                                                         : "the disk is nearly full: nothing new is leased; make room");
  } else {
    LOG(INFO).With(fields) << "the disk has room again: work goes on";
  }
}

absl::Status DiskWatch::CheckUpload() const {
  return state() == State::kFull ? DiskBelowMarkError(free_bytes(), full_bytes_.load()) : absl::OkStatus();
}

}  // namespace bitwright::server
