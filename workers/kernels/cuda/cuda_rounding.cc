#include "workers/kernels/cuda/cuda_rounding.h"

#include <algorithm>
#include <cstring>

#include "proto/base/log.h"
#include "workers/kernels/cuda/cuda_factor.h"
#include "workers/kernels/cuda/cuda_grid.h"
#include "workers/kernels/cuda/cuda_lattice.h"
#include "workers/kernels/cuda/cuda_ldlq.h"
#include "workers/kernels/cuda/dequantize.h"
#include "workers/kernels/cuda/product.h"
#include "workers/kernels/cuda/row_sums.h"
#include "workers/kernels/pack_codes.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker::cuda {
namespace {

const CudaFactor& On(const DeviceFactor& factor) { return static_cast<const CudaFactor&>(factor); }

// Rows [first, first + rows) of a row-major result.
template <typename T>
std::span<T> RowsOf(std::vector<T>& values, int64_t first, int64_t rows, int64_t columns) {
  return std::span(values).subspan(static_cast<size_t>(first * columns), static_cast<size_t>(rows * columns));
}

class CudaRounding final : public Rounding {
 public:
  explicit CudaRounding(const Context& context) : context_(context), solver_(context) {}

  std::optional<int64_t> Factorize(const FactorHead& head, std::span<float> triangle) override {
    return solver_.Factorize(head, triangle);
  }
  std::unique_ptr<DeviceFactor> LoadFactor(FactorHead head, const TriangleRows& rows) override {
    return cuda::LoadFactor(context_, std::move(head), rows);
  }
  RoundedLinear RoundLdlq(const DeviceFactor& factor, const Matrix& weights, const IntGrid& grid,
                          const LdlqOptions& options) override;
  std::vector<double> LdlqLosses(const DeviceFactor& factor, const Matrix& weights, std::span<const IntGrid> grids,
                                 const LdlqOptions& options) override;
  GridRounded RoundOnGrid(const DeviceFactor& factor, const Matrix& weights, const Grid& grid,
                          const GridSteps& steps) override;
  LatticeRounded RoundOnLattice(const DeviceFactor& factor, const Matrix& weights, const Lattice& lattice,
                                const GridSteps& steps) override;
  RoundedLinear RoundNearest(const Matrix& weights, const IntGrid& grid, const NearestOptions& options,
                             std::span<const float> diagonal) override;
  std::vector<double> MomentLosses(const Matrix& weights, const Matrix& values, const Matrix& moment) override;
  void Dequantize(const IntGrid& grid, std::span<const int8_t> codes, std::span<const float> scales,
                  const Matrix& to) override;
  void DequantizePacked(const IntGrid& grid, std::span<const std::byte> packed, const TensorView& scales,
                        const Matrix& to) override;

 private:
  const Context& context_;
  const Solver solver_;
};

// Without codes and scales, but for their room.
RoundedLinear Empty(const IntGrid& grid, int64_t out, int64_t in) {
  RoundedLinear result;
  result.codes.resize(static_cast<size_t>(out * in));
  result.scales.resize(static_cast<size_t>(out * (in / grid.group)));
  return result;
}

RoundedLinear CudaRounding::RoundLdlq(const DeviceFactor& device_factor, const Matrix& weights, const IntGrid& grid,
                                      const LdlqOptions& options) {
  const CudaFactor& factor = On(device_factor);
  const int64_t out = weights.rows, in = weights.columns;
  CHECK(in == factor.head.inputs) << in;
  RoundedLinear result;
  ForRowParts(out, factor.stride, [&](int64_t first, int64_t rows) {
    CudaLdlq part(context_, factor, weights.Rows(first, rows));
    part.Round(grid, options);
    if (first == 0) {  // clears memory while the card works
      result = Empty(grid, out, in);
      result.row_loss.resize(static_cast<size_t>(out));
    }
    part.codes().Read(RowsOf(result.codes, first, rows, in));
    part.scales().Read(RowsOf(result.scales, first, rows, in / grid.group));
    part.loss().Read(RowsOf(result.row_loss, first, rows, 1));
  });
  for (const double loss : result.row_loss) result.loss += loss;
  return result;
}

std::vector<double> CudaRounding::LdlqLosses(const DeviceFactor& device_factor, const Matrix& weights,
                                             std::span<const IntGrid> grids, const LdlqOptions& options) {
  const CudaFactor& factor = On(device_factor);
  const int64_t out = weights.rows;
  CHECK(weights.columns == factor.head.inputs) << weights.columns;
  std::vector<double> losses(grids.size() * static_cast<size_t>(out));
  ForRowParts(out, factor.stride, [&](int64_t first, int64_t rows) {
    CudaLdlq part(context_, factor, weights.Rows(first, rows));
    for (size_t g = 0; g < grids.size(); ++g) {
      part.Round(grids[g], options);
      part.loss().Read(RowsOf(losses, static_cast<int64_t>(g) * out + first, rows, 1));
    }
  });
  return losses;
}

GridRounded CudaRounding::RoundOnGrid(const DeviceFactor& device_factor, const Matrix& weights, const Grid& grid,
                                      const GridSteps& steps) {
  const CudaFactor& factor = On(device_factor);
  const int64_t out = weights.rows, in = weights.columns, groups = grid.groups(in);
  CHECK(in == factor.head.inputs && in % grid.group == 0 && kPanel % grid.group == 0) << in << " " << grid.group;
  CHECK(!grid.two_levels() || (in % grid.super == 0 && grid.super % grid.group == 0)) << in << " " << grid.super;
  CHECK(!grid.given_scales || static_cast<int64_t>(steps.scales.size()) == out * groups) << steps.scales.size();
  GridRounded result(grid, out, in);
  ForRowParts(out, factor.stride, [&](int64_t first, int64_t rows) {
    CudaGridPart part(context_, factor, weights.Rows(first, rows), grid);
    part.Round(steps, grid.given_scales ? steps.scales.subspan(static_cast<size_t>(first * groups),
                                                               static_cast<size_t>(rows * groups))
                                        : steps.scales);
    part.Read(first, result);
  });
  for (const double loss : result.row_loss) result.loss += loss;
  return result;
}

LatticeRounded CudaRounding::RoundOnLattice(const DeviceFactor& device_factor, const Matrix& weights,
                                            const Lattice& lattice, const GridSteps& steps) {
  const CudaFactor& factor = On(device_factor);
  const int64_t out = weights.rows, in = weights.columns;
  CHECK(in == factor.head.inputs && in % lattice.super == 0 && lattice.super % lattice.group == 0) << in;
  CHECK(kPanel % lattice.group == 0 && lattice.group <= 4 * Lattice::kSigns) << lattice.group;
  const CudaLattice on(context_, factor, InOrder(context_, solver_, factor), lattice);
  LatticeRounded result(lattice, out, in);
  ForRowParts(out, factor.stride, [&](int64_t first, int64_t rows) {
    CudaLatticePart part(context_, factor, weights.Rows(first, rows), on);
    part.Round(steps);
    part.Read(first, result);
  });
  for (const double loss : result.row_loss) result.loss += loss;
  return result;
}

RoundedLinear CudaRounding::RoundNearest(const Matrix& weights, const IntGrid& grid, const NearestOptions& options,
                                         std::span<const float> diagonal) {
  const int64_t out = weights.rows, in = weights.columns, groups = in / grid.group;
  CHECK(in % grid.group == 0 && (diagonal.empty() || diagonal.size() == static_cast<size_t>(in))) << in;
  const std::vector<float> ones(diagonal.empty() ? static_cast<size_t>(in) : 0, 1.0f);
  const Array<float> importance(context_, diagonal.empty() ? std::span<const float>(ones) : diagonal);
  const ScaleSearch search = SearchOf(grid, options.scales);
  RoundedLinear result = Empty(grid, out, in);
  ForRowParts(out, in, [&](int64_t first, int64_t rows) {
    const Wide w = WideOf(weights.Rows(first, rows));
    const Array<float> scales(context_, rows * groups);
    const Array<int8_t> codes(context_, rows * in);
    Check(ChooseScales({w, nullptr}, grid.group, search, importance.data(), scales.data(), context_.stream),
          "choosing scales");
    Check(NearestIntegers(w, grid.group, search, options.quotient_type, scales.data(), codes.data(), context_.stream),
          "rounding to the nearest");
    codes.Read(RowsOf(result.codes, first, rows, in));
    scales.Read(RowsOf(result.scales, first, rows, groups));
  });
  return result;
}

std::vector<double> CudaRounding::MomentLosses(const Matrix& weights, const Matrix& values, const Matrix& moment) {
  const int64_t out = weights.rows, in = weights.columns;
  CHECK(values.rows == out && values.columns == in && moment.rows == in && moment.columns == in) << out << " " << in;
  std::vector<double> losses(static_cast<size_t>(out));
  ForRowParts(out, in, [&](int64_t first, int64_t rows) {
    const Array<float> error(context_, rows * in), product(context_, rows * in);
    const Array<double> sums(context_, rows);
    const Wide e{error.data(), rows, in, in}, p{product.data(), rows, in, in};
    Check(Differences(WideOf(weights.Rows(first, rows)), WideOf(values.Rows(first, rows)), e.data, context_.stream),
          "taking errors");
    Product(context_, 1, {e.data, in}, {WideOf(moment).data, moment.stride}, in, 0, p);
    Check(RowDots(e, p, sums.data(), context_.stream), "summing losses");
    sums.Read(RowsOf(losses, first, rows, 1));
  });
  return losses;
}

void CudaRounding::Dequantize(const IntGrid& grid, std::span<const int8_t> codes, std::span<const float> scales,
                              const Matrix& to) {
  CHECK(to.columns % grid.group == 0 && codes.size() == static_cast<size_t>(to.rows * to.columns) &&
        scales.size() == static_cast<size_t>(to.rows * (to.columns / grid.group)))
      << to.rows << " " << to.columns;
  const Array<int8_t> all(context_, codes);
  const Array<float> of_groups(context_, scales);
  Check(cuda::Dequantize(all.data(), {of_groups.data(), grid.group, grid.type}, WideOf(to), context_.stream),
        "dequantizing");
}

void CudaRounding::DequantizePacked(const IntGrid& grid, std::span<const std::byte> packed, const TensorView& scales,
                                    const Matrix& to) {
  const int64_t words = PackedWords(grid.bits, to.columns), groups = to.columns / grid.group;
  CHECK(to.columns % grid.group == 0 && packed.size() == static_cast<size_t>(to.rows * words * 4) &&
        scales.elements() == to.rows * groups)
      << to.rows << " " << to.columns;
  std::vector<float> wide(static_cast<size_t>(scales.elements()));
  ToFloat(scales, wide);
  const Array<std::byte> all(context_, packed);
  const Array<float> of_groups(context_, std::span<const float>(wide));
  Check(cuda::DequantizePacked(grid.bits, reinterpret_cast<const uint32_t*>(all.data()),
                               {of_groups.data(), grid.group, grid.type}, WideOf(to), context_.stream),
        "dequantizing");
}

}  // namespace

std::unique_ptr<Rounding> MakeCudaRounding(const Context& context) { return std::make_unique<CudaRounding>(context); }

}  // namespace bitwright::worker::cuda
