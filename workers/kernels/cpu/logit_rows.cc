#include "workers/kernels/cpu/logit_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

#include "workers/kernels/vector_clones.h"

namespace bitwright::worker {
namespace {

// Sums are kept in this many lanes on every machine and added up in one order: the same bits everywhere.
constexpr int64_t kLanes = 16;
constexpr int64_t kChunk = 1024;  // elements whose maximum is remembered while the first place of the largest is sought

// exp(x) for x ≤ 0, relative error below 4e-16. Below −708 it stays near 1e-308: no sum here can tell it from 0.
// x = k·ln 2 + r, |r| ≤ ln(2)/2; exp(r) by its Taylor polynomial of degree 13 (the next term is below 5e-18), even and
// odd powers apart to halve the chain of dependent operations.
inline double ExpNonPositive(double x) {
  constexpr double kLog2E = 1.44269504088896340736, kShift = 0x1.8p52;
  constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 0x1.a39ef35793c76p-33;  // k · high is exact
  x = x < -708.0 ? -708.0 : x;
  const double shifted = x * kLog2E + kShift;  // k is in the low bits
  const double k = shifted - kShift;
  const double r = (x - k * kLn2High) - k * kLn2Low;
  const double s = r * r;
  const double even =
      1.0 + s * (1.0 / 2 + s * (1.0 / 24 + s * (1.0 / 720 + s * (1.0 / 40320 + s * (1.0 / 3628800 + s / 479001600)))));
  const double odd =
      1.0 +
      s * (1.0 / 6 + s * (1.0 / 120 + s * (1.0 / 5040 + s * (1.0 / 362880 + s * (1.0 / 39916800 + s / 6227020800)))));
  const double e = even + r * odd;
  return std::bit_cast<double>(std::bit_cast<uint64_t>(e) + (std::bit_cast<uint64_t>(shifted) << 52));
}

inline double AddUp(const double* lanes) {
  double sum = 0;
  for (int64_t l = 0; l < kLanes; ++l) sum += lanes[l];
  return sum;
}

BITWRIGHT_VECTOR_CLONES
float LargestOf(const float* x, int64_t n) {
  float lanes[kLanes];
  std::fill_n(lanes, kLanes, x[0]);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] = x[i + l] > lanes[l] ? x[i + l] : lanes[l];
  }
  for (; i < n; ++i) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
  return *std::max_element(lanes, lanes + kLanes);
}

}  // namespace

RowMaximum FindMaximum(const float* x, int64_t n) {
  RowMaximum best{x[0], 0};
  int64_t chunk = 0;
  for (int64_t i = 0; i < n; i += kChunk) {
    const float value = LargestOf(x + i, std::min(kChunk, n - i));
    if (value > best.value) {
      best.value = value;
      chunk = i;
    }
  }
  best.index = std::find(x + chunk, x + std::min(chunk + kChunk, n), best.value) - x;
  return best;
}

BITWRIGHT_VECTOR_CLONES
PairSums SumPair(const float* base, float base_maximum, const float* quantized, float quantized_maximum, int64_t n) {
  double sum_b[kLanes] = {}, sum_q[kLanes] = {}, sum_d[kLanes] = {};
  const double top_b = base_maximum, top_q = quantized_maximum;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) {
      const double b = static_cast<double>(base[i + l]) - top_b, q = static_cast<double>(quantized[i + l]) - top_q;
      const double e = ExpNonPositive(b);
      sum_b[l] += e;
      sum_q[l] += ExpNonPositive(q);
      sum_d[l] += e * (b - q);
    }
  }
  for (int64_t l = 0; i < n; ++i, ++l) {
    const double b = static_cast<double>(base[i]) - top_b, q = static_cast<double>(quantized[i]) - top_q;
    const double e = ExpNonPositive(b);
    sum_b[l] += e;
    sum_q[l] += ExpNonPositive(q);
    sum_d[l] += e * (b - q);
  }
  return {AddUp(sum_b), AddUp(sum_q), AddUp(sum_d)};
}

TokenComparison CompareLogitRows(const float* base, const float* other, int64_t n, int32_t target) {
  const RowMaximum top_b = FindMaximum(base, n), top_o = FindMaximum(other, n);
  const PairSums sums = SumPair(base, top_b.value, other, top_o.value, n);
  const double log_b = std::log(sums.base), log_o = std::log(sums.quantized);
  TokenComparison token;
  token.nll_base = log_b - (static_cast<double>(base[target]) - top_b.value);
  token.nll_other = log_o - (static_cast<double>(other[target]) - top_o.value);
  // Never negative but for rounding; a NaN must stay one.
  const double kl = sums.difference / sums.base - log_b + log_o;
  token.kl = kl < 0 ? 0 : kl;
  token.p_delta = std::exp(-token.nll_other) - std::exp(-token.nll_base);
  token.same_top = top_b.index == top_o.index;
  return token;
}

}  // namespace bitwright::worker
