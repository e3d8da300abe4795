#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/base/thread_pool.h"

namespace bitwright::worker {

// (ΔW H ΔWᵀ)_rr of every row r, [out], with ΔW = weights − dequantized, by the direct product.
//   weights, dequantized  f32 [out, in]
//   moment                f32 [in, in], both triangles
// f32 product, f64 sums in index order; pieces of 64 rows run on the pool.
std::vector<double> RowLosses(std::span<const float> weights, std::span<const float> dequantized, int64_t out,
                              int64_t in, std::span<const float> moment, ThreadPool& pool);

}  // namespace bitwright::worker
