#include "workers/quantize/factor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
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

}  // namespace

absl::StatusOr<Factorization> Factorization::Begin(std::span<const float> packed_moment, int64_t inputs,
                                                   const FactorOptions& options) {
  CHECK(packed_moment.size() == static_cast<size_t>(PackedTriangleSize(inputs))) << inputs;
  if (absl::Status status = CheckMoment(packed_moment, inputs); !status.ok()) return status;
  Factorization begun;
  begun.head_.inputs = inputs;
  begun.damping_ = options.damping;
  ChooseOrder(packed_moment, options, begun.head_);
  begun.c_ = ReversedMoment(packed_moment, begun.head_);
  return begun;
}

absl::Status Factorization::Finish(ThreadPool& pool) {
  const int64_t n = head_.inputs;
  if (const std::optional<int64_t> failed = Cholesky(c_.data(), n, pool)) {
    return MomentNotPositiveError(head_.order[n - 1 - *failed], damping_);
  }
  return absl::OkStatus();
}

Buffer<float> Factorization::Packed() const {
  const int64_t n = head_.inputs, stride = CholeskyStride(n);
  Buffer<float> packed(PackedTriangleSize(n));
  float* to = packed.data();
  for (int64_t i = 0; i < n; ++i) {
    const double* row = c_.data() + (n - 1 - i) * stride;  // C's row n−1−i, read backwards, is M's row i times √D
    *to++ = static_cast<float>(row[n - 1 - i] * row[n - 1 - i]);
    for (int64_t j = i + 1; j < n; ++j) {
      const int64_t at = n - 1 - j;
      *to++ = static_cast<float>(row[at] / c_[at * stride + at]);
    }
  }
  return packed;
}

Factor LaidOut(Factor head, const std::function<void(int64_t i, std::span<float> to)>& row) {
  const int64_t n = head.inputs;
  constexpr int64_t kBlock = kLaneBlock;
  const int64_t blocks = (n + kBlock - 1) / kBlock;
  head.d.resize(n);
  head.m = Buffer<float>(n * n);
  head.blocks = Buffer<float>(blocks * kBlock * kBlock);
  std::fill_n(head.blocks.data(), head.blocks.size(), 0.0f);
  for (int64_t i = 0; i < n; ++i) {
    row(i, head.m.span().subspan(i * n + i, n - i));
    head.d[i] = head.m[i * n + i];
    for (int64_t j = i + 1; j < std::min(n, (i / kBlock + 1) * kBlock); ++j) {
      head.blocks[(j / kBlock * kBlock + j % kBlock) * kBlock + i % kBlock] = head.m[i * n + j];
    }
  }
  return head;
}

absl::StatusOr<Factor> BuildFactor(std::span<const float> packed_moment, int64_t inputs, const FactorOptions& options,
                                   ThreadPool& pool) {
  ABSL_ASSIGN_OR_RETURN(Factorization factorization, Factorization::Begin(packed_moment, inputs, options));
  ABSL_RETURN_IF_ERROR(factorization.Finish(pool));
  const Buffer<float> packed = factorization.Packed();
  return LaidOut(factorization.TakeHead(), [&](int64_t i, std::span<float> to) {
    std::copy_n(packed.data() + PackedTriangleIndex(inputs, i, i), to.size(), to.data());
  });
}

}  // namespace bitwright::worker
