#pragma once

#include <cstdint>

namespace bitwright::worker {

// How a worker that may take `all` bytes with its children divides them between its two lanes.

// What the lane of small tasks may take: a quarter, at most 1 GiB.
int64_t SmallLaneBytes(int64_t all);

// What the worker announces: the server may count on it for any one task. The lane of small tasks has its part beside
// that; but a worker of little memory is not said to be too small for every task. Never more than `all`.
int64_t AnnouncedBytes(int64_t all);

}  // namespace bitwright::worker
