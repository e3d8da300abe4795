#pragma once

#include <vector>

#include "proto/contract/memory_cuts.h"
#include "workers/base/thread_pool.h"
#include "workers/kernels/device.h"
#include "workers/tensor/buffer.h"

namespace bitwright::worker {

// Device::Attend on the processor. Pieces are tiles of queries of one head of one window; at most kQueryTile rows of
// scores are live per thread. scratch: one buffer for each thread of the pool, grown as needed.
void CpuAttend(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, const Heads& out,
               ThreadPool& pool, std::vector<Buffer<float>>& scratch);

// Device::AttendBack. Pieces are the key heads of a window, with all query heads that share one: the scores are
// computed again, tile by tile; at most three tiles of them are live per thread.
void CpuAttendBack(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, const Heads& dout,
                   const Heads& dq, const Heads& dk, const Heads& dv, ThreadPool& pool,
                   std::vector<Buffer<float>>& scratch);

}  // namespace bitwright::worker
