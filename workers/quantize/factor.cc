#include "workers/quantize/factor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>

#include "proto/base/log.h"
#include "workers/quantize/cholesky.h"
#include "workers/quantize/quantize_errors.h"
#include "workers/quantize/row_lanes.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker {
namespace {

absl::Status CheckMoment(std::span<const float> packed, int64_t n) {
  const float* at = packed.data();
  for (int64_t i = 0; i < n; ++i) {
    if (*at < 0) return MomentNotFiniteError(i, i);
    for (int64_t j = i; j < n; ++j, ++at) {
      if (!std::isfinite(*at)) return MomentNotFiniteError(i, j);
    }
  }
  return absl::OkStatus();
}

void ChooseOrder(std::span<const float> packed, const FactorOptions& options, Factor& factor) {
  const int64_t n = factor.inputs;
  factor.act_order = options.act_order;
  factor.diagonal.resize(n);
  factor.dead.resize(n);
  double sum = 0;
  int64_t live = 0;
  for (int64_t j = 0; j < n; ++j) {
    const float value = packed[PackedTriangleIndex(n, j, j)];
    factor.dead[j] = value == 0;
    factor.diagonal[j] = value == 0 ? 1.0f : value;
    sum += value;
    live += value != 0;
  }
  factor.added = options.damping * (live > 0 ? sum / static_cast<double>(live) : 1.0);
  factor.order.resize(n);
  std::iota(factor.order.begin(), factor.order.end(), 0);
  if (options.act_order) {
    std::stable_sort(factor.order.begin(), factor.order.end(), [&](int32_t a, int32_t b) {
      if (factor.dead[a] != factor.dead[b]) return factor.dead[a] == 0;
      return factor.diagonal[a] > factor.diagonal[b];
    });
  }
}

// The permuted, damped moment with its rows and columns in reverse. Cholesky gives a lower triangular factor, while
// LDLQ needs an upper triangular one: reversing the order before and after turns the one into the other, M √D.
Buffer<double> ReversedMoment(std::span<const float> packed, const Factor& factor) {
  const int64_t n = factor.inputs, stride = CholeskyStride(n);
  Buffer<double> a(stride * stride);
  std::fill_n(a.data(), stride * stride, 0.0);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t row = factor.order[n - 1 - i];
    for (int64_t j = 0; j < i; ++j) {
      const int64_t column = factor.order[n - 1 - j];
      a[i * stride + j] = packed[PackedTriangleIndex(n, std::min(row, column), std::max(row, column))];
    }
    a[i * stride + i] = static_cast<double>(factor.diagonal[row]) + factor.added;
  }
  return a;
}

void StoreFactor(const Buffer<double>& c, Factor& factor) {
  const int64_t n = factor.inputs, stride = CholeskyStride(n);
  constexpr int64_t kBlock = kLaneBlock;
  const int64_t blocks = (n + kBlock - 1) / kBlock;
  factor.d.resize(n);
  factor.m = Buffer<float>(n * n);
  factor.blocks = Buffer<float>(blocks * kBlock * kBlock);
  std::fill_n(factor.blocks.data(), factor.blocks.size(), 0.0f);
  for (int64_t j = 0; j < n; ++j) {  // column j of M
    const int64_t at = n - 1 - j;
    const double root = c[at * stride + at];
    factor.d[j] = static_cast<float>(root * root);
  }
  for (int64_t i = 0; i < n; ++i) {
    const double* column = c.data() + (n - 1 - i) * stride;  // C's row n−1−i, read backwards, is M's row i times √D
    for (int64_t j = i + 1; j < n; ++j) {
      const int64_t at = n - 1 - j;
      const float value = static_cast<float>(column[at] / c[at * stride + at]);
      factor.m[i * n + j] = value;
      if (j / kBlock == i / kBlock) {
        factor.blocks[(j / kBlock * kBlock + j % kBlock) * kBlock + i % kBlock] = value;
      }
    }
  }
}

}  // namespace

absl::StatusOr<Factor> BuildFactor(std::span<const float> packed_moment, int64_t inputs, const FactorOptions& options,
                                   ThreadPool& pool) {
  CHECK(packed_moment.size() == static_cast<size_t>(PackedTriangleSize(inputs))) << inputs;
  if (absl::Status status = CheckMoment(packed_moment, inputs); !status.ok()) return status;
  Factor factor;
  factor.inputs = inputs;
  ChooseOrder(packed_moment, options, factor);
  Buffer<double> a = ReversedMoment(packed_moment, factor);
  if (const std::optional<int64_t> failed = Cholesky(a.data(), inputs, pool)) {
    return MomentNotPositiveError(factor.order[inputs - 1 - *failed], options.damping);
  }
  StoreFactor(a, factor);
  return factor;
}

}  // namespace bitwright::worker
