#include "workers/agent/lane_memory.h"

#include <algorithm>

namespace bitwright::worker {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;

}  // namespace

int64_t SmallLaneBytes(int64_t all) { return std::min(kGiB, all / 4); }

int64_t AnnouncedBytes(int64_t all) { return std::max(all - SmallLaneBytes(all), std::min(all, kGiB)); }

}  // namespace bitwright::worker
