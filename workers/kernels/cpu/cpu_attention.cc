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

namespace {

// dscores (with respect to the softmax's result) becomes that with respect to its input: p ∘ (d − (d · p)), and through
// the cap, of which `capped` holds the results (null: none).
void SoftmaxBack(const float* p, const float* capped, float soft_cap, int64_t rows, int64_t keys, float* dscores) {
  for (int64_t r = 0; r < rows; ++r, p += keys, dscores += keys) {
    double dot = 0;
    for (int64_t c = 0; c < keys; ++c) dot += double{p[c]} * dscores[c];
    const float mean = static_cast<float>(dot);
    for (int64_t c = 0; c < keys; ++c) dscores[c] = p[c] * (dscores[c] - mean);
    if (capped == nullptr) continue;
    for (int64_t c = 0; c < keys; ++c) {
      const float share = capped[r * keys + c] / soft_cap;
      dscores[c] *= 1 - share * share;
    }
  }
}

}  // namespace

void CpuAttendBack(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, const Heads& dout,
                   const Heads& dq, const Heads& dk, const Heads& dv, ThreadPool& pool,
                   std::vector<Buffer<float>>& scratch) {
  const int64_t windows = q.x.rows / parts.window, tiles = (parts.window + kQueryTile - 1) / kQueryTile;
  const int64_t sharing = q.count / k.count;
  pool.ParallelFor(windows * k.count, [&](int64_t piece, int slot) {
    const int64_t shared = piece % k.count, start = piece / k.count * parts.window;
    for (int64_t step = 0; step < sharing * tiles; ++step) {
      const AttentionTile tile(parts, step % tiles);
      const int64_t head = shared * sharing + step / tiles, keys = tile.keys(), area = tile.rows * keys;
      const int64_t query = start + tile.first, key = start + tile.key_begin;
      float* p = Grown(scratch[slot], 3 * kQueryTile * parts.window);
      float* dscores = p + area;
      float* capped = parts.soft_cap > 0 ? dscores + area : nullptr;
      const auto at = [](const Heads& heads, int64_t row, int64_t h) { return RowOf(heads.x, row) + h * heads.stride; };
      const float* own_q = at(q, query, head);
      const float* own_k = at(k, key, shared);
      const float* own_dout = at(dout, query, head);
      ScoreTile(parts, tile, own_q, q.x.stride, own_k, k.x.stride, q.dim, p);
      if (capped != nullptr) std::copy_n(p, area, capped);
      for (int64_t r = 0; r < tile.rows; ++r) Softmax(p + r * keys, keys, tile.seen_begin(r), tile.seen_end(r));
      GemmF32(true, false, keys, v.dim, tile.rows, 1.0f, p, keys, own_dout, dout.x.stride, 1.0f, at(dv, key, shared),
              dv.x.stride);
      GemmF32(false, true, tile.rows, keys, v.dim, 1.0f, own_dout, dout.x.stride, at(v, key, shared), v.x.stride, 0.0f,
              dscores, keys);
      SoftmaxBack(p, capped, parts.soft_cap, tile.rows, keys, dscores);
      GemmF32(false, false, tile.rows, q.dim, keys, parts.scale, dscores, keys, own_k, k.x.stride, 1.0f,
              at(dq, query, head), dq.x.stride);
      GemmF32(true, false, keys, q.dim, tile.rows, parts.scale, dscores, keys, own_q, q.x.stride, 1.0f,
              at(dk, key, shared), dk.x.stride);
    }
  });
}

}  // namespace bitwright::worker
