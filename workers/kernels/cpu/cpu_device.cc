#include "workers/kernels/cpu/cpu_device.h"

#include <cmath>
#include <cstring>
#include <numeric>

#include "proto/base/log.h"
#include "proto/contract/memory_cuts.h"
#include "workers/kernels/cpu/cpu_attention.h"
#include "workers/kernels/cpu/cpu_gradients.h"
#include "workers/kernels/cpu/cpu_memory.h"
#include "workers/kernels/cpu/cpu_rounding.h"
#include "workers/kernels/cpu/logit_rows.h"
#include "workers/kernels/gemm.h"

namespace bitwright::worker {
namespace {

// Of one piece of a product. Its part of the weights stays in a core's cache from piece to piece.
constexpr int64_t kProductRows = 512;
constexpr int64_t kProductLeastRows = 128;
constexpr int64_t kProductColumns = 512;
constexpr int64_t kMomentTile = 256;
constexpr int64_t kMomentRows = 4096;  // products that are summed in f32 before they are added to the sums
constexpr int64_t kMomentLeastRows = 256;
constexpr int64_t kPieces = 32;  // wanted of one operation, so that many threads have something to do
constexpr int64_t kTransposeTile = 64;
constexpr int64_t kSquaresColumns = 64;  // of one piece of a sum of squares

// Rows and columns of a product's result: fewer rows in a piece where there are few pieces of columns.
struct ProductCut {
  EvenCut columns, rows;

  ProductCut(int64_t row_count, int64_t column_count)
      : columns(column_count, kProductColumns, 32),
        rows(row_count, std::clamp(row_count * columns.parts / kPieces, kProductLeastRows, kProductRows), 16) {}
  int64_t pieces() const { return rows.parts * columns.parts; }
};

size_t Bytes(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(ThreadPool& pool) : pool_(pool), scratch_(pool.threads()), rounding_(MakeCpuRounding(pool)) {}

  Rounding& rounding() override { return *rounding_; }

  std::unique_ptr<DeviceMemory> Allocate(DType type, int64_t elements) override {
    return std::make_unique<CpuMemory>(type, elements);
  }

  void Write(std::span<const float> from, const Matrix& to) override {
    ForRows(to, [&](int64_t r) { std::memcpy(RowOf(to, r), from.data() + r * to.columns, Bytes(to.columns)); });
  }
  void Read(const Matrix& from, std::span<float> to) override {
    ForRows(from, [&](int64_t r) { std::memcpy(to.data() + r * from.columns, RowOf(from, r), Bytes(from.columns)); });
  }
  void Load(const TensorView& tensor, int64_t first, const Matrix& to) override {
    ForRows(to, [&](int64_t r) { ToFloat(tensor, first + r * to.columns, to.columns, RowOf(to, r)); });
  }
  void LoadTransposed(const TensorView& tensor, const Matrix& to) override;
  void LoadRows(const TensorView& table, std::span<const int32_t> rows, float factor, bool add,
                const Matrix& to) override;
  void Narrow(const Matrix& from, const Matrix& to) override {
    ForRows(from, [&](int64_t r) { NarrowToBf16(RowOf(from, r), from.columns, NarrowOf(to) + r * to.stride); });
  }

  void Fill(float value, const Matrix& to) override {
    ForRows(to, [&](int64_t r) { std::fill_n(RowOf(to, r), to.columns, value); });
  }
  void Copy(const Matrix& from, const Matrix& to) override {
    ForRows(to, [&](int64_t r) { std::memcpy(RowOf(to, r), RowOf(from, r), Bytes(to.columns)); });
  }
  void Add(float factor, const Matrix& from, const Matrix& to) override {
    ForRows(to, [&](int64_t r) { AddScaled(factor, RowOf(from, r), to.columns, RowOf(to, r)); });
  }

  void Multiply(const Matrix& x, const Affine& affine, const Matrix& out) override;
  void Norm(const Heads& x, const NormParts& parts, const Heads& out) override;
  void Rotate(const RotaryParts& parts, bool backwards, const Heads& x) override;
  void Attend(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, const Heads& out) override {
    CpuAttend(parts, q, k, v, out, pool_, scratch_);
  }
  void Activate(Activation activation, const Matrix& gate, const Matrix& up, const Matrix& out) override {
    ForRows(gate, [&](int64_t r) {
      if (up.has_value()) {
        ActivateMul(activation, RowOf(gate, r), RowOf(up, r), gate.columns, RowOf(out, r));
      } else {
        worker::Activate(activation, RowOf(gate, r), gate.columns, RowOf(out, r));
      }
    });
  }
  void Cap(float cap, const Matrix& x) override {
    ForRows(x, [&](int64_t r) { SoftCap(cap, RowOf(x, r), x.columns); });
  }

  Routing Route(const Matrix& logits, int64_t chosen, bool normalized) override;
  void GatherRows(const Matrix& from, std::span<const int32_t> rows, const Matrix& to) override {
    ForRows(to, [&](int64_t r) { std::memcpy(RowOf(to, r), RowOf(from, rows[r]), Bytes(to.columns)); });
  }
  void AddRows(const Matrix& from, std::span<const int32_t> rows, std::span<const float> weights,
               const Matrix& to) override {
    ForRows(from, [&](int64_t r) { AddScaled(weights[r], RowOf(from, r), from.columns, RowOf(to, rows[r])); });
  }
  void AddGated(float factor, const Matrix& gate, const Matrix& from, const Matrix& to) override {
    ForRows(to, [&](int64_t r) {
      AddScaled(factor / (1.0f + std::exp(-*RowOf(gate, r))), RowOf(from, r), to.columns, RowOf(to, r));
    });
  }

  void MultiplyBack(const Matrix& dy, const Matrix& w, float factor, const Matrix& dx) override;
  void AddOuter(const Matrix& dy, const Matrix& x, float factor, const Matrix& dw) override;
  void NormBack(const Heads& x, const NormParts& parts, const Heads& dy, const Heads& dx,
                const NormGradients& gradients) override {
    CpuNormBack(x, parts, dy, dx, gradients, pool_);
  }
  void AttendBack(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, const Heads& dout,
                  const Heads& dq, const Heads& dk, const Heads& dv) override {
    CpuAttendBack(parts, q, k, v, dout, dq, dk, dv, pool_, scratch_);
  }
  void ActivateBack(Activation activation, const Matrix& gate, const Matrix& up, const Matrix& dout,
                    const Matrix& dgate, const Matrix& dup) override {
    ForRows(gate, [&](int64_t r) {
      const bool gated = up.has_value();
      worker::ActivateBack(activation, RowOf(gate, r), gated ? RowOf(up, r) : nullptr, RowOf(dout, r), gate.columns,
                           RowOf(dgate, r), gated ? RowOf(dup, r) : nullptr);
    });
  }
  void CapBack(float cap, const Matrix& capped, const Matrix& d) override {
    ForRows(d, [&](int64_t r) {
      const float* value = RowOf(capped, r);
      float* row = RowOf(d, r);
      for (int64_t c = 0; c < d.columns; ++c) row[c] *= 1 - value[c] / cap * (value[c] / cap);
    });
  }
  void AddGatedBack(float factor, const Matrix& gate, const Matrix& from, const Matrix& dto, const Matrix& dgate,
                    const Matrix& dfrom) override {
    ForRows(dto, [&](int64_t r) {
      const float open = factor / (1.0f + std::exp(-*RowOf(gate, r)));
      *RowOf(dgate, r) += open * (1 - open / factor) * Dot(RowOf(from, r), RowOf(dto, r), dto.columns);
      AddScaled(open, RowOf(dto, r), dto.columns, RowOf(dfrom, r));
    });
  }
  void RouteBack(const Matrix& logits, const Routing& routing, bool normalized,
                 std::span<const std::vector<float>> dweights, const Matrix& dlogits) override {
    CpuRouteBack(logits, routing, normalized, dweights, dlogits);
  }
  void DotRows(const Matrix& a, const Matrix& b, std::span<const int32_t> rows, std::span<float> results) override {
    ForRows(a, [&](int64_t r) { results[r] = Dot(RowOf(a, r), RowOf(b, rows[r]), a.columns); });
  }
  void ScaleRows(std::span<const float> factors, const Matrix& x) override {
    ForRows(x, [&](int64_t r) {
      std::transform(RowOf(x, r), RowOf(x, r) + x.columns, RowOf(x, r), [&](float v) { return v * factors[r]; });
    });
  }
  void Sample(const Matrix& logits, std::span<const double> uniforms, std::span<int32_t> labels) override {
    ForRows(logits, [&](int64_t r) { labels[r] = SampleLabel(RowOf(logits, r), logits.columns, uniforms[r]); });
  }
  void LossBack(const Matrix& logits, std::span<const int32_t> labels, std::span<double> losses) override {
    ForRows(logits, [&](int64_t r) { losses[r] = LossGradient(RowOf(logits, r), logits.columns, labels[r]); });
  }

  void Compare(const Matrix& base, const Matrix& other, std::span<const int32_t> targets,
               std::span<TokenComparison> results) override {
    const EvenCut cut = RowCut(base.rows, base.columns);
    pool_.ParallelFor(cut.parts, [&](int64_t part, int) {
      for (int64_t r = cut.begin(part); r < cut.begin(part) + cut.length(part); ++r) {
        CHECK(targets[r] >= 0 && targets[r] < base.columns) << "target " << targets[r] << " of " << base.columns;
        results[r] = CompareLogitRows(RowOf(base, r), RowOf(other, r), base.columns, targets[r]);
      }
    });
  }

  void AddMoment(const Matrix& x, const Matrix& sums) override;
  void AddSquares(const Matrix& x, const Matrix& sums) override;
  void ReadTriangle(const Matrix& from, float factor, std::span<float> to) override;

 private:
  // Calls row(r) for every row of a matrix, rows in parallel.
  template <typename F>
  void ForRows(const Matrix& shape, const F& row) {
    const EvenCut cut = RowCut(shape.rows, shape.columns);
    pool_.ParallelFor(cut.parts, [&](int64_t part, int) {
      for (int64_t r = cut.begin(part); r < cut.begin(part) + cut.length(part); ++r) row(r);
    });
  }

  void MultiplyNarrow(const Matrix& x, const Affine& affine, const Matrix& out);
  void MultiplyRounded(const Matrix& x, const Affine& affine, const Matrix& out);

  ThreadPool& pool_;
  std::vector<Buffer<float>> scratch_;  // by slot
  const std::unique_ptr<Rounding> rounding_;
  Buffer<uint16_t> narrow_;                // bf16 copy of a product's input
  std::unique_ptr<DeviceMemory> rounded_;  // some rows of a product's input, as its site has them
  Buffer<float> moment_parts_;
};

void CpuDevice::LoadTransposed(const TensorView& tensor, const Matrix& to) {
  const int64_t out = to.rows, in = to.columns;
  const EvenCut cut(in, kTransposeTile, 1);
  pool_.ParallelFor(cut.parts, [&](int64_t part, int slot) {
    float* row = Grown(scratch_[slot], out);
    for (int64_t i = cut.begin(part); i < cut.begin(part) + cut.length(part); ++i) {
      ToFloat(tensor, i * out, out, row);
      for (int64_t o = 0; o < out; ++o) RowOf(to, o)[i] = row[o];
    }
  });
}

void CpuDevice::LoadRows(const TensorView& table, std::span<const int32_t> rows, float factor, bool add,
                         const Matrix& to) {
  const EvenCut cut = RowCut(to.rows, to.columns);
  pool_.ParallelFor(cut.parts, [&](int64_t part, int slot) {
    float* row = Grown(scratch_[slot], to.columns);
    for (int64_t r = cut.begin(part); r < cut.begin(part) + cut.length(part); ++r) {
      ToFloat(table, rows[r] * to.columns, to.columns, row);
      if (!add) std::fill_n(RowOf(to, r), to.columns, 0.0f);
      AddScaled(factor, row, to.columns, RowOf(to, r));
    }
  });
}

void CpuDevice::Multiply(const Matrix& x, const Affine& affine, const Matrix& out) {
  if (affine.site.rounds()) return MultiplyRounded(x, affine, out);
  if (affine.w.memory->type() == DType::kBF16) return MultiplyNarrow(x, affine, out);
  const ProductCut cut(out.rows, out.columns);
  const EvenCut &columns = cut.columns, &rows = cut.rows;
  pool_.ParallelFor(cut.pieces(), [&](int64_t piece, int) {
    const int64_t row_part = piece % rows.parts, column_part = piece / rows.parts;
    const int64_t r = rows.begin(row_part), c = columns.begin(column_part);
    const int64_t m = rows.length(row_part), n = columns.length(column_part);
    float* to = RowOf(out, r) + c;
    GemmF32(false, true, m, n, x.columns, affine.factor, RowOf(x, r), x.stride, RowOf(affine.w, c), affine.w.stride,
            affine.add ? 1.0f : 0.0f, to, out.stride);
    if (!affine.bias.has_value()) return;
    for (int64_t i = 0; i < m; ++i) AddScaled(affine.factor, WideOf(affine.bias) + c, n, to + i * out.stride);
  });
}

void CpuDevice::MultiplyNarrow(const Matrix& x, const Affine& affine, const Matrix& out) {
  if (narrow_.size() < x.rows * x.columns) narrow_ = Buffer<uint16_t>(x.rows * x.columns);
  ForRows(x, [&](int64_t r) { NarrowToBf16(RowOf(x, r), x.columns, narrow_.data() + r * x.columns); });
  const ProductCut cut(out.rows, out.columns);
  const EvenCut &columns = cut.columns, &rows = cut.rows;
  pool_.ParallelFor(rows.parts * columns.parts, [&](int64_t piece, int slot) {
    const int64_t row_part = piece % rows.parts, column_part = piece / rows.parts;
    const int64_t r = rows.begin(row_part), c = columns.begin(column_part);
    const int64_t m = rows.length(row_part), n = columns.length(column_part);
    const uint16_t* w = NarrowOf(affine.w) + c * affine.w.stride;
    float* product = Grown(scratch_[slot], m * n);
    GemmBf16(m, n, x.columns, narrow_.data() + r * x.columns, x.columns, w, affine.w.stride, product, n);
    for (int64_t i = 0; i < m; ++i) {
      float* to = RowOf(out, r + i) + c;
      if (!affine.add) std::fill_n(to, n, 0.0f);
      AddScaled(affine.factor, product + i * n, n, to);
      if (affine.bias.has_value()) AddScaled(affine.factor, WideOf(affine.bias) + c, n, to);
    }
  });
}

void CpuDevice::MultiplyRounded(const Matrix& x, const Affine& affine, const Matrix& out) {
  const int64_t most = std::min(x.rows, kRoundedInputRows);
  if (!rounded_ || rounded_->elements() < most * x.columns) rounded_ = Allocate(DType::kF32, most * x.columns);
  Affine plain = affine;
  plain.site = {};
  for (int64_t first = 0; first < x.rows; first += most) {
    const int64_t rows = std::min(most, x.rows - first);
    const Matrix from = x.Rows(first, rows), rounded{rounded_.get(), 0, rows, x.columns, x.columns};
    ForRows(from, [&](int64_t r) { RoundAtSite(affine.site, RowOf(from, r), x.columns, RowOf(rounded, r)); });
    Multiply(rounded, plain, out.Rows(first, rows));
  }
}

void CpuDevice::Norm(const Heads& x, const NormParts& parts, const Heads& out) {
  const float* weight = WideOf(parts.weight);
  const float* bias = parts.bias.has_value() ? WideOf(parts.bias) : nullptr;
  const EvenCut cut = RowCut(x.x.rows, x.count * x.dim);
  pool_.ParallelFor(cut.parts, [&](int64_t part, int) {
    for (int64_t r = cut.begin(part); r < cut.begin(part) + cut.length(part); ++r) {
      for (int64_t h = 0; h < x.count; ++h) {
        const float* from = RowOf(x.x, r) + h * x.stride;
        float* to = RowOf(out.x, r) + h * out.stride;
        if (parts.centered) {
          LayerNorm(from, weight, bias, parts.eps, x.dim, to);
        } else {
          RmsNorm(from, weight, parts.eps, 1, x.dim, 0, to);
        }
      }
    }
  });
}

void CpuDevice::Rotate(const RotaryParts& parts, bool backwards, const Heads& x) {
  const int64_t half = parts.rotary / 2, window = parts.cos.rows;
  const auto rotate = parts.interleaved ? ApplyRopeInterleaved : ApplyRope;
  const EvenCut cut = RowCut(x.x.rows, x.count * parts.rotary);
  pool_.ParallelFor(cut.parts, [&](int64_t part, int slot) {
    float* negative = backwards ? Grown(scratch_[slot], half) : nullptr;
    for (int64_t r = cut.begin(part); r < cut.begin(part) + cut.length(part); ++r) {
      const float* sin = RowOf(parts.sin, r % window);
      if (backwards) {
        std::transform(sin, sin + half, negative, std::negate<float>());
        sin = negative;
      }
      rotate(RowOf(x.x, r), 1, 0, x.count, x.stride, parts.rotary, RowOf(parts.cos, r % window), sin);
    }
  });
}

Routing CpuDevice::Route(const Matrix& logits, int64_t chosen, bool normalized) {
  const int64_t experts = logits.columns;
  std::vector<int32_t> best(static_cast<size_t>(logits.rows * chosen));
  std::vector<float> weight(best.size());
  const EvenCut cut = RowCut(logits.rows, experts);
  pool_.ParallelFor(cut.parts, [&](int64_t part, int slot) {
    float* row = Grown(scratch_[slot], experts);
    std::vector<int32_t> order(static_cast<size_t>(experts));
    for (int64_t r = cut.begin(part); r < cut.begin(part) + cut.length(part); ++r) {
      std::memcpy(row, RowOf(logits, r), Bytes(experts));
      Softmax(row, experts, 0, experts);
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + chosen, order.end(),
                        [&](int32_t a, int32_t b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
      float sum = 0;
      for (int64_t i = 0; i < chosen; ++i) sum += row[order[i]];
      for (int64_t i = 0; i < chosen; ++i) {
        best[r * chosen + i] = order[i];
        weight[r * chosen + i] = normalized ? row[order[i]] / sum : row[order[i]];
      }
    }
  });
  Routing routing;
  routing.rows.resize(static_cast<size_t>(experts));
  routing.weights.resize(static_cast<size_t>(experts));
  for (size_t i = 0; i < best.size(); ++i) {
    routing.rows[best[i]].push_back(static_cast<int32_t>(static_cast<int64_t>(i) / chosen));
    routing.weights[best[i]].push_back(weight[i]);
  }
  return routing;
}

void CpuDevice::MultiplyBack(const Matrix& dy, const Matrix& w, float factor, const Matrix& dx) {
  const ProductCut cut(dx.rows, dx.columns);
  const EvenCut &columns = cut.columns, &rows = cut.rows;
  pool_.ParallelFor(rows.parts * columns.parts, [&](int64_t piece, int) {
    const int64_t row_part = piece % rows.parts, column_part = piece / rows.parts;
    const int64_t r = rows.begin(row_part), c = columns.begin(column_part);
    GemmF32(false, false, rows.length(row_part), columns.length(column_part), dy.columns, factor, RowOf(dy, r),
            dy.stride, WideOf(w) + c, w.stride, 1.0f, RowOf(dx, r) + c, dx.stride);
  });
}

void CpuDevice::AddOuter(const Matrix& dy, const Matrix& x, float factor, const Matrix& dw) {
  const EvenCut rows(dw.rows, kMomentTile, 16), columns(dw.columns, kMomentTile, 16);
  pool_.ParallelFor(rows.parts * columns.parts, [&](int64_t piece, int) {
    const int64_t row_part = piece % rows.parts, column_part = piece / rows.parts;
    const int64_t r = rows.begin(row_part), c = columns.begin(column_part);
    GemmF32(true, false, rows.length(row_part), columns.length(column_part), x.rows, factor, WideOf(dy) + r, dy.stride,
            WideOf(x) + c, x.stride, 1.0f, RowOf(dw, r) + c, dw.stride);
  });
}

void CpuDevice::AddSquares(const Matrix& x, const Matrix& sums) {
  const EvenCut cut(x.columns, kSquaresColumns, 1);
  pool_.ParallelFor(cut.parts, [&](int64_t part, int) {
    const int64_t first = cut.begin(part), columns = cut.length(part);
    double total[kSquaresColumns] = {};
    for (int64_t r = 0; r < x.rows; ++r) {
      const float* row = RowOf(x, r) + first;
      for (int64_t c = 0; c < columns; ++c) total[c] += double{row[c]} * row[c];
    }
    float* to = RowOf(sums, 0) + first;
    for (int64_t c = 0; c < columns; ++c) to[c] += static_cast<float>(total[c]);
  });
}

// Tiles of the upper triangle. A narrow x has few of them: then its rows are cut, too, and the parts are added up in
// their order.
void CpuDevice::AddMoment(const Matrix& x, const Matrix& sums) {
  std::vector<std::pair<int64_t, int64_t>> tiles;
  for (int64_t i = 0; i < x.columns; i += kMomentTile) {
    for (int64_t j = i; j < x.columns; j += kMomentTile) tiles.emplace_back(i, j);
  }
  const int64_t count = static_cast<int64_t>(tiles.size());
  const EvenCut cut(x.rows, std::clamp<int64_t>(x.rows * count / kPieces, kMomentLeastRows, kMomentRows), 1);
  if (count == 0 || cut.parts == 0) return;
  constexpr int64_t kArea = kMomentTile * kMomentTile;
  const bool cut_rows = cut.parts > 1 && count < kPieces;
  float* parts = cut_rows ? Grown(moment_parts_, count * cut.parts * kArea) : nullptr;
  const auto add = [&](int64_t tile, int64_t part, float keep, float* to, int64_t stride) {
    const auto [i, j] = tiles[static_cast<size_t>(tile)];
    GemmF32(true, false, std::min(kMomentTile, x.columns - i), std::min(kMomentTile, x.columns - j), cut.length(part),
            1.0f, RowOf(x, cut.begin(part)) + i, x.stride, RowOf(x, cut.begin(part)) + j, x.stride, keep, to, stride);
  };
  const auto target = [&](int64_t tile) {
    return RowOf(sums, tiles[static_cast<size_t>(tile)].first) + tiles[static_cast<size_t>(tile)].second;
  };
  if (!cut_rows) {
    pool_.ParallelFor(count, [&](int64_t tile, int) {
      for (int64_t part = 0; part < cut.parts; ++part) add(tile, part, 1.0f, target(tile), sums.stride);
    });
    return;
  }
  pool_.ParallelFor(count * cut.parts, [&](int64_t piece, int) {
    add(piece / cut.parts, piece % cut.parts, 0.0f, parts + piece * kArea, kMomentTile);
  });
  pool_.ParallelFor(count, [&](int64_t tile, int) {
    const auto [i, j] = tiles[static_cast<size_t>(tile)];
    const int64_t rows = std::min(kMomentTile, x.columns - i), columns = std::min(kMomentTile, x.columns - j);
    for (int64_t part = 0; part < cut.parts; ++part) {
      const float* from = parts + (tile * cut.parts + part) * kArea;
      for (int64_t r = 0; r < rows; ++r) AddScaled(1, from + r * kMomentTile, columns, target(tile) + r * sums.stride);
    }
  });
}

void CpuDevice::ReadTriangle(const Matrix& from, float factor, std::span<float> to) {
  const int64_t n = from.columns;
  ForRows(from, [&](int64_t r) {
    const float* row = RowOf(from, r);
    float* at = to.data() + r * n - r * (r - 1) / 2 - r;
    for (int64_t c = r; c < n; ++c) at[c] = row[c] * factor;
  });
}

}  // namespace

std::unique_ptr<Device> MakeCpuDevice(ThreadPool& pool) { return std::make_unique<CpuDevice>(pool); }

}  // namespace bitwright::worker
