#include "workers/kernels/cpu/cpu_attention.h"

#include <algorithm>

#include "workers/kernels/cpu/attention_tile.h"
#include "workers/kernels/cpu/cpu_memory.h"
#include "workers/kernels/gemm.h"

namespace bitwright::worker {

void CpuAttend(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, const Heads& out,
               ThreadPool& pool, std::vector<Buffer<float>>& scratch) {
  const int64_t windows = q.x.rows / parts.window, tiles = (parts.window + kQueryTile - 1) / kQueryTile;
  const int64_t sharing = q.count / k.count;
  pool.ParallelFor(windows * q.count * tiles, [&](int64_t piece, int slot) {
    const AttentionTile tile(parts, piece % tiles);
    const int64_t head = piece / tiles % q.count, first = piece / tiles / q.count * parts.window;
    const int64_t shared = head / sharing, keys = tile.keys();
    float* scores = Grown(scratch[slot], tile.rows * keys);
    ScoreTile(parts, tile, RowOf(q.x, first + tile.first) + head * q.stride, q.x.stride,
              RowOf(k.x, first + tile.key_begin) + shared * k.stride, k.x.stride, q.dim, scores);
    for (int64_t r = 0; r < tile.rows; ++r) Softmax(scores + r * keys, keys, tile.seen_begin(r), tile.seen_end(r));
    GemmF32(false, false, tile.rows, v.dim, keys, 1.0f, scores, keys,
            RowOf(v.x, first + tile.key_begin) + shared * v.stride, v.x.stride, 0.0f,
            RowOf(out.x, first + tile.first) + head * out.stride, out.x.stride);
  });
}

}  // namespace bitwright::worker
