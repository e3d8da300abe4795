#include "workers/quantize/quantized_linear.h"

#include <algorithm>
#include <cmath>

namespace bitwright::worker {
namespace {

constexpr int64_t kRowsAtOnce = 64;

// each(values of a row) for all rows.
template <typename F>
void ForEachRow(Device& device, const Matrix& matrix, const F& each) {
  std::vector<float> values(static_cast<size_t>(std::min(kRowsAtOnce, matrix.rows) * matrix.columns));
  for (int64_t first = 0; first < matrix.rows; first += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, matrix.rows - first);
    const auto part = std::span(values).first(static_cast<size_t>(rows * matrix.columns));
    device.Read(matrix.Rows(first, rows), part);
    for (int64_t r = 0; r < rows; ++r) {
      each(std::span<const float>(part).subspan(static_cast<size_t>(r * matrix.columns),
                                                static_cast<size_t>(matrix.columns)));
    }
  }
}

float Largest(std::span<const float> values) {
  float most = 0;
  for (const float value : values) most = std::max(most, std::abs(value));
  return most;
}

}  // namespace

double QuantizedLinear::loss() const {
  return std::visit([](const auto& rounded) { return rounded.loss; }, parts);
}

const std::vector<double>& QuantizedLinear::row_loss() const {
  return std::visit([](const auto& rounded) -> const std::vector<double>& { return rounded.row_loss; }, parts);
}

void WriteValues(const QuantizedLinear& linear, const Format& format, DType type, Device& device, const Matrix& to) {
  if (const auto* integers = std::get_if<RoundedLinear>(&linear.parts)) {
    const IntGrid grid = std::get<IntFormat>(format).Grid(to.columns, type);
    device.rounding().Dequantize(grid, integers->codes, integers->scales, to);
  } else if (const auto* plain = std::get_if<PlainLinear>(&linear.parts)) {
    device.Write(plain->values, to);
  } else if (const auto* lattice = std::get_if<LatticeRounded>(&linear.parts)) {
    device.Write(ValuesOf(lattice->codes, LatticeOf(std::get<BlockType>(format)), to.rows, to.columns), to);
  } else if (const auto* floats = std::get_if<FloatRounded>(&linear.parts)) {
    const Grid grid = GridOf(std::get<FloatFormat>(format), to.columns, type, floats->divisor);
    device.Write(ValuesOf(floats->codes, grid, to.rows, to.columns), to);
  } else if (const auto* coded = std::get_if<CodebookRounded>(&linear.parts)) {
    const Grid grid = GridOf(std::get<CodebookFormat>(format), to.columns, type, coded->table, /*given=*/true);
    device.Write(ValuesOf(coded->codes, grid, to.rows, to.columns), to);
  } else {
    const auto* integer = std::get_if<IntFormat>(&format);
    const Grid grid = integer != nullptr ? integer->Values(type) : GridOf(std::get<BlockType>(format));
    device.Write(ValuesOf(std::get<GridRounded>(linear.parts).codes, grid, to.rows, to.columns), to);
  }
}

Extremes ExtremesOf(Device& device, const Matrix& weights, const Matrix& fused) {
  Extremes extremes;
  extremes.runs = (weights.columns + kScaleBlock - 1) / kScaleBlock;
  ForEachRow(device, weights, [&](std::span<const float> row) {
    for (size_t begin = 0; begin < row.size(); begin += kScaleBlock) {
      const size_t size = std::min<size_t>(kScaleBlock, row.size() - begin);
      extremes.of_runs.push_back(Largest(row.subspan(begin, size)));
    }
  });
  ForEachRow(device, fused, [&](std::span<const float> row) { extremes.most = std::max(extremes.most, Largest(row)); });
  return extremes;
}

}  // namespace bitwright::worker
