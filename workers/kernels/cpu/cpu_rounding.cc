#include "workers/kernels/cpu/cpu_rounding.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "proto/base/log.h"
#include "workers/kernels/cpu/cholesky.h"
#include "workers/kernels/cpu/cpu_factor.h"
#include "workers/kernels/cpu/cpu_memory.h"
#include "workers/kernels/cpu/dequantize_row.h"
#include "workers/kernels/cpu/grid_piece.h"
#include "workers/kernels/cpu/group_scales.h"
#include "workers/kernels/cpu/lattice_piece.h"
#include "workers/kernels/cpu/row_gather.h"
#include "workers/kernels/cpu/row_lanes.h"
#include "workers/kernels/gemm.h"
#include "workers/kernels/pack_codes.h"
#include "workers/tensor/buffer.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;
constexpr int64_t kBlock = kLaneBlock;

const CpuFactor& On(const DeviceFactor& factor) { return static_cast<const CpuFactor&>(factor); }

int64_t Groups(const IntGrid& grid, int64_t columns) { return columns / grid.group; }

// 64 rows of one linear on their way through LDLQ. Scratch of one thread; arrays are [in, 64] unless stated.
class RowPiece {
 public:
  explicit RowPiece(const CpuFactor& factor)
      : factor_(factor),
        in_(factor.head.inputs),
        permuted_(in_ * kRows),
        natural_(factor.head.act_order ? in_ * kRows : 0),
        error_(in_ * kRows),
        codes_(in_ * kRows),
        scales_(in_ * kRows / 32 + kRows),
        sum_(kBlock * kRows),
        spread_(kBlock * kRows),
        standing_(kBlock * kRows),
        importance_(in_) {}

  void Load(const Matrix& weights, int64_t first) {
    const int32_t* order = factor_.head.act_order ? factor_.head.order.data() : nullptr;
    GatherRows(WideOf(weights), weights.stride, weights.rows, in_, first, order, factor_.head.dead.data(),
               permuted_.data());
    if (factor_.head.act_order) {
      GatherRows(WideOf(weights), weights.stride, weights.rows, in_, first, nullptr, factor_.head.dead.data(),
                 natural_.data());
    }
  }

  // Afterwards codes(), scales() [groups, 64] and loss() [64] hold the result.
  void Round(const IntGrid& grid, const LdlqOptions& options);

  const int8_t* codes() const { return codes_.data(); }
  const float* scales() const { return scales_.data(); }
  const double* loss() const { return loss_; }

 private:
  void Weigh();
  void StaticScales(const IntGrid& grid, const LdlqOptions& options);
  void RoundBlock(int64_t begin, const IntGrid& grid, const LdlqOptions& options, bool dynamic);

  const CpuFactor& factor_;
  const int64_t in_;
  Buffer<float> permuted_, natural_, error_;
  Buffer<int8_t> codes_;
  Buffer<float> scales_;                   // [groups, 64]
  Buffer<float> sum_, spread_, standing_;  // [128, 64]
  Buffer<float> importance_;               // [in] weight of an error in the search for scales, by column of W
  double loss_[kRows];
  double squared_[kRows];
};

void RowPiece::Weigh() {
  for (int64_t j = 0; j < in_; ++j) {
    const int32_t column = factor_.head.order[j];
    importance_[column] = std::sqrt(factor_.head.diagonal[column] * factor_.d[j]);
  }
}

void RowPiece::StaticScales(const IntGrid& grid, const LdlqOptions& options) {
  const float* w = factor_.head.act_order ? natural_.data() : permuted_.data();
  const int64_t width = grid.group;
  for (int64_t g = 0; g < in_ / width; ++g) {
    GroupScales(options.scales, grid, w + g * width * kRows, width, importance_.data() + g * width,
                scales_.data() + g * kRows);
  }
}

void RowPiece::RoundBlock(int64_t begin, const IntGrid& grid, const LdlqOptions& options, bool dynamic) {
  const int64_t width = std::min(kBlock, in_ - begin);
  SumEarlierErrors(factor_, error_.data(), begin, width, sum_.data());
  const int64_t group = grid.group;
  const float* column_scales[kBlock];
  for (int64_t j = 0; j < width; ++j) {
    column_scales[j] = scales_.data() + factor_.head.order[begin + j] / group * kRows;
  }
  const LdlqBlock block{permuted_.data() + begin * kRows,
                        sum_.data(),
                        error_.data() + begin * kRows,
                        codes_.data() + begin * kRows,
                        factor_.blocks.data() + begin * kBlock,
                        factor_.d.data() + begin,
                        column_scales,
                        loss_,
                        squared_};
  if (!dynamic) return RoundColumns(block, 0, width, grid);
  for (int64_t j = 0; j < width; j += group) {
    AddEarlierErrors(block, j, j + group);
    StandingValues(block, j, j + group, spread_.data(), standing_.data());
    GroupScales(options.scales, grid, standing_.data() + j * kRows, group, importance_.data() + begin + j,
                scales_.data() + (begin + j) / group * kRows);
    RoundColumns(block, j, j + group, grid);
  }
}

void RowPiece::Round(const IntGrid& grid, const LdlqOptions& options) {
  // A group that covers its whole row is reached before any error has spread: dynamic would be static.
  const bool dynamic = !options.static_groups && !factor_.head.act_order && grid.group != in_;
  Weigh();
  if (!dynamic) StaticScales(grid, options);
  std::fill_n(loss_, kRows, 0.0);
  std::fill_n(squared_, kRows, 0.0);
  for (int64_t begin = 0; begin < in_; begin += kBlock) RoundBlock(begin, grid, options, dynamic);
  for (int64_t r = 0; r < kRows; ++r) loss_[r] -= factor_.head.added * squared_[r];
}

// The permuted, damped moment with its rows and columns in reverse. Cholesky gives a lower triangular factor, while
// LDLQ needs an upper triangular one: reversing the order before and after turns the one into the other, M √D.
Buffer<double> ReversedMoment(const FactorHead& head, std::span<const float> packed) {
  const int64_t n = head.inputs, stride = CholeskyStride(n);
  Buffer<double> a(stride * stride);
  std::fill_n(a.data(), stride * stride, 0.0);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t row = head.order[n - 1 - i];
    for (int64_t j = 0; j < i; ++j) {
      const int64_t column = head.order[n - 1 - j];
      a[i * stride + j] = packed[PackedTriangleIndex(n, std::min(row, column), std::max(row, column))];
    }
    a[i * stride + i] = static_cast<double>(head.diagonal[row]) + head.added;
  }
  return a;
}

class CpuRounding final : public Rounding {
 public:
  explicit CpuRounding(ThreadPool& pool) : pool_(pool) {}

  std::optional<int64_t> Factorize(const FactorHead& head, std::span<float> triangle) override;
  std::unique_ptr<DeviceFactor> LoadFactor(FactorHead head, const TriangleRows& rows) override;
  RoundedLinear RoundLdlq(const DeviceFactor& factor, const Matrix& weights, const IntGrid& grid,
                          const LdlqOptions& options) override;
  std::vector<double> LdlqLosses(const DeviceFactor& factor, const Matrix& weights, std::span<const IntGrid> grids,
                                 const LdlqOptions& options) override;
  RoundedLinear RoundNearest(const Matrix& weights, const IntGrid& grid, const NearestOptions& options,
                             std::span<const float> diagonal) override;
  GridRounded RoundOnGrid(const DeviceFactor& factor, const Matrix& weights, const Grid& grid,
                          const GridSteps& steps) override;
  LatticeRounded RoundOnLattice(const DeviceFactor& factor, const Matrix& weights, const Lattice& lattice,
                                const GridSteps& steps) override;
  std::vector<double> MomentLosses(const Matrix& weights, const Matrix& values, const Matrix& moment) override;
  void Dequantize(const IntGrid& grid, std::span<const int8_t> codes, std::span<const float> scales,
                  const Matrix& to) override;
  void DequantizePacked(const IntGrid& grid, std::span<const std::byte> packed, const TensorView& scales,
                        const Matrix& to) override;

 private:
  // body(first row, rows) for pieces of 64 rows.
  template <typename F>
  void ForPieces(int64_t rows, const F& body) {
    pool_.ParallelFor((rows + kRows - 1) / kRows,
                      [&](int64_t piece, int) { body(piece * kRows, std::min(kRows, rows - piece * kRows)); });
  }

  // The factor in the order of the columns. It must have its moment.
  const CpuFactor& InOrder(const CpuFactor& factor);

  ThreadPool& pool_;
};

std::optional<int64_t> CpuRounding::Factorize(const FactorHead& head, std::span<float> triangle) {
  const int64_t n = head.inputs, stride = CholeskyStride(n);
  CHECK(triangle.size() == static_cast<size_t>(PackedTriangleSize(n))) << n;
  Buffer<double> c = ReversedMoment(head, triangle);
  if (const std::optional<int64_t> failed = Cholesky(c.data(), n, pool_)) return n - 1 - *failed;
  float* to = triangle.data();
  for (int64_t i = 0; i < n; ++i) {
    const double* row = c.data() + (n - 1 - i) * stride;  // C's row n−1−i, read backwards, is M's row i times √D
    *to++ = static_cast<float>(row[n - 1 - i] * row[n - 1 - i]);
    for (int64_t j = i + 1; j < n; ++j) {
      const int64_t at = n - 1 - j;
      *to++ = static_cast<float>(row[at] / c[at * stride + at]);
    }
  }
  return std::nullopt;
}

std::unique_ptr<DeviceFactor> CpuRounding::LoadFactor(FactorHead head, const TriangleRows& rows) {
  auto factor = std::make_unique<CpuFactor>();
  const int64_t n = head.inputs, blocks = (n + kBlock - 1) / kBlock;
  factor->head = std::move(head);
  factor->d.resize(static_cast<size_t>(n));
  factor->m = Buffer<float>(n * n);
  factor->blocks = Buffer<float>(blocks * kBlock * kBlock);
  std::fill_n(factor->blocks.data(), factor->blocks.size(), 0.0f);
  for (int64_t i = 0; i < n; ++i) {
    const float* row = factor->m.data() + i * n;
    rows(i, factor->m.span().subspan(static_cast<size_t>(i * n + i), static_cast<size_t>(n - i)));
    factor->d[static_cast<size_t>(i)] = row[i];
    std::fill_n(factor->m.data() + i * n, i, 0.0f);
    factor->m[i * n + i] = 1;
    for (int64_t j = i + 1; j < std::min(n, (i / kBlock + 1) * kBlock); ++j) {
      factor->blocks[(j / kBlock * kBlock + j % kBlock) * kBlock + i % kBlock] = row[j];
    }
  }
  return factor;
}

RoundedLinear CpuRounding::RoundLdlq(const DeviceFactor& device_factor, const Matrix& weights, const IntGrid& grid,
                                     const LdlqOptions& options) {
  const CpuFactor& factor = On(device_factor);
  const int64_t out = weights.rows, in = weights.columns, groups = Groups(grid, in);
  CHECK(in == factor.head.inputs && in % grid.group == 0) << in << " " << grid.group;
  RoundedLinear result;
  result.codes.resize(static_cast<size_t>(out * in));
  result.scales.resize(static_cast<size_t>(out * groups));
  result.row_loss.resize(static_cast<size_t>(out));
  ForPieces(out, [&](int64_t first, int64_t rows) {
    RowPiece piece(factor);
    piece.Load(weights, first);
    piece.Round(grid, options);
    ScatterCodes(piece.codes(), out, in, first, factor.head.order.data(), result.codes.data());
    ScatterScales(piece.scales(), out, groups, first, result.scales.data());
    std::copy_n(piece.loss(), rows, result.row_loss.begin() + first);
  });
  for (const double loss : result.row_loss) result.loss += loss;
  return result;
}

std::vector<double> CpuRounding::LdlqLosses(const DeviceFactor& device_factor, const Matrix& weights,
                                            std::span<const IntGrid> grids, const LdlqOptions& options) {
  const CpuFactor& factor = On(device_factor);
  CHECK(weights.columns == factor.head.inputs) << weights.columns;
  const int64_t out = weights.rows;
  std::vector<double> row_loss(grids.size() * static_cast<size_t>(out));
  ForPieces(out, [&](int64_t first, int64_t rows) {
    RowPiece piece(factor);
    piece.Load(weights, first);
    for (size_t g = 0; g < grids.size(); ++g) {
      piece.Round(grids[g], options);
      std::copy_n(piece.loss(), rows, row_loss.begin() + static_cast<int64_t>(g) * out + first);
    }
  });
  return row_loss;
}

RoundedLinear CpuRounding::RoundNearest(const Matrix& weights, const IntGrid& grid, const NearestOptions& options,
                                        std::span<const float> diagonal) {
  const int64_t out = weights.rows, in = weights.columns, groups = Groups(grid, in), width = grid.group;
  CHECK(in % width == 0 && (diagonal.empty() || diagonal.size() == static_cast<size_t>(in))) << in << " " << width;
  std::vector<float> ones;
  if (diagonal.empty()) ones.assign(static_cast<size_t>(in), 1.0f);
  const float* importance = diagonal.empty() ? ones.data() : diagonal.data();
  RoundedLinear result;
  result.codes.resize(static_cast<size_t>(out * in));
  result.scales.resize(static_cast<size_t>(out * groups));
  ForPieces(out, [&](int64_t first, int64_t) {
    Buffer<float> w(in * kRows), scales(groups * kRows);
    Buffer<int8_t> codes(in * kRows);
    GatherRows(WideOf(weights), weights.stride, out, in, first, nullptr, nullptr, w.data());
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t at = g * width * kRows;
      float* scale = scales.data() + g * kRows;
      GroupScales(options.scales, grid, w.data() + at, width, importance + g * width, scale);
      RoundLanesToNearest(w.data() + at, width, scale, grid.bits, options.quotient_type, codes.data() + at);
    }
    ScatterCodes(codes.data(), out, in, first, nullptr, result.codes.data());
    ScatterScales(scales.data(), out, groups, first, result.scales.data());
  });
  return result;
}

GridRounded CpuRounding::RoundOnGrid(const DeviceFactor& device_factor, const Matrix& weights, const Grid& grid,
                                     const GridSteps& steps) {
  const CpuFactor& factor = On(device_factor);
  const int64_t out = weights.rows, in = weights.columns;
  CHECK(in == factor.head.inputs && in % grid.group == 0 && kBlock % grid.group == 0) << in << " " << grid.group;
  CHECK(!grid.two_levels() || (in % grid.super == 0 && grid.super % grid.group == 0)) << in << " " << grid.super;
  CHECK(!grid.given_scales || static_cast<int64_t>(steps.scales.size()) == out * grid.groups(in))
      << steps.scales.size();
  MakeMoment(factor, pool_);
  GridRounded result(grid, out, in);
  ForPieces(out, [&](int64_t first, int64_t) {
    GridPiece piece(factor, grid);
    piece.Round(weights, first, steps);
    piece.Scatter(out, first, result);
  });
  for (const double loss : result.row_loss) result.loss += loss;
  return result;
}

const CpuFactor& CpuRounding::InOrder(const CpuFactor& factor) {
  if (!factor.head.act_order) return factor;
  absl::call_once(factor.in_order_made, [&] {
    const int64_t n = factor.head.inputs;
    FactorHead head = factor.head;
    head.act_order = false;
    std::iota(head.order.begin(), head.order.end(), 0);
    const double least =
        1e-6 * std::accumulate(head.diagonal.begin(), head.diagonal.end(), 0.0) / static_cast<double>(n);
    std::vector<float> triangle(static_cast<size_t>(PackedTriangleSize(n)));
    const auto factorize = [&] {
      for (int64_t i = 0; i < n; ++i) {
        std::copy_n(factor.moment.data() + i * n + i, n - i, triangle.data() + PackedTriangleIndex(n, i, i));
      }
      return !Factorize(head, triangle).has_value();
    };
    // Rounded to f32 the moment may miss being positive by a little, where nothing was added to it.
    while (!factorize()) head.added = std::max(least, 2 * head.added);
    factor.in_order = LoadFactor(head, [&](int64_t i, std::span<float> to) {
      std::copy_n(triangle.data() + PackedTriangleIndex(n, i, i), to.size(), to.data());
    });
  });
  return On(*factor.in_order);
}

LatticeRounded CpuRounding::RoundOnLattice(const DeviceFactor& device_factor, const Matrix& weights,
                                           const Lattice& lattice, const GridSteps& steps) {
  const CpuFactor& factor = On(device_factor);
  MakeMoment(factor, pool_);
  const CpuFactor& in_order = InOrder(factor);
  const int64_t out = weights.rows, in = weights.columns;
  CHECK(in == factor.head.inputs && in % lattice.super == 0 && lattice.super % lattice.group == 0) << in;
  CHECK(kBlock % lattice.group == 0 && lattice.group <= 4 * Lattice::kSigns) << lattice.group;
  const LaneLattice lanes(lattice);
  LatticeRounded result(lattice, out, in);
  ForPieces(out, [&](int64_t first, int64_t) {
    LatticePiece piece(factor, in_order, lattice, lanes);
    piece.Round(weights, first, steps);
    piece.Scatter(out, first, result);
  });
  for (const double loss : result.row_loss) result.loss += loss;
  return result;
}

std::vector<double> CpuRounding::MomentLosses(const Matrix& weights, const Matrix& values, const Matrix& moment) {
  const int64_t out = weights.rows, in = weights.columns;
  CHECK(values.rows == out && values.columns == in && moment.rows == in && moment.columns == in) << out << " " << in;
  std::vector<double> losses(static_cast<size_t>(out));
  ForPieces(out, [&](int64_t first, int64_t rows) {
    Buffer<float> error(rows * in), product(rows * in);
    for (int64_t r = 0; r < rows; ++r) {
      const float *w = RowOf(weights, first + r), *q = RowOf(values, first + r);
      for (int64_t j = 0; j < in; ++j) error[r * in + j] = w[j] - q[j];
    }
    GemmF32(false, false, rows, in, in, 1.0f, error.data(), in, WideOf(moment), moment.stride, 0.0f, product.data(),
            in);
    for (int64_t i = 0; i < rows * in; ++i) {
      losses[static_cast<size_t>(first + i / in)] += static_cast<double>(error[i]) * product[i];
    }
  });
  return losses;
}

void CpuRounding::Dequantize(const IntGrid& grid, std::span<const int8_t> codes, std::span<const float> scales,
                             const Matrix& to) {
  const int64_t columns = to.columns, groups = Groups(grid, columns);
  CHECK(columns % grid.group == 0 && codes.size() == static_cast<size_t>(to.rows * columns) &&
        scales.size() == static_cast<size_t>(to.rows * groups))
      << to.rows << " " << columns;
  ForPieces(to.rows, [&](int64_t first, int64_t rows) {
    for (int64_t r = first; r < first + rows; ++r) {
      DequantizeRow(grid.type, codes.data() + r * columns, scales.data() + r * groups, grid.group, columns,
                    RowOf(to, r));
    }
  });
}

void CpuRounding::DequantizePacked(const IntGrid& grid, std::span<const std::byte> packed, const TensorView& scales,
                                   const Matrix& to) {
  const int64_t columns = to.columns, groups = Groups(grid, columns), words = PackedWords(grid.bits, columns);
  CHECK(columns % grid.group == 0 && packed.size() == static_cast<size_t>(to.rows * words * 4) &&
        scales.elements() == to.rows * groups)
      << to.rows << " " << columns;
  ForPieces(to.rows, [&](int64_t first, int64_t rows) {
    std::vector<uint32_t> row_words(static_cast<size_t>(rows * words));
    std::memcpy(row_words.data(), packed.data() + first * words * 4, row_words.size() * 4);
    std::vector<int8_t> codes(static_cast<size_t>(rows * columns));
    UnpackCodes(grid.bits, rows, columns, row_words, codes);
    std::vector<float> row_scales(static_cast<size_t>(rows * groups));
    ToFloat(scales, first * groups, rows * groups, row_scales.data());
    for (int64_t r = 0; r < rows; ++r) {
      DequantizeRow(grid.type, codes.data() + r * columns, row_scales.data() + r * groups, grid.group, columns,
                    RowOf(to, first + r));
    }
  });
}

}  // namespace

std::unique_ptr<Rounding> MakeCpuRounding(ThreadPool& pool) { return std::make_unique<CpuRounding>(pool); }

}  // namespace bitwright::worker
