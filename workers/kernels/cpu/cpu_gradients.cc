#include "workers/kernels/cpu/cpu_gradients.h"

#include <algorithm>
#include <cmath>

#include "proto/base/log.h"
#include "workers/kernels/cpu/cpu_memory.h"
#include "workers/kernels/vector_clones.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kLanes = 8;  // sums are kept in so many on every machine, and added up in one order

// y = x̂ · weight (+ bias) of one head, x̂ = (x − mean) · scale.
struct Normed {
  double mean = 0;
  double scale = 0;
};

Normed NormOf(const float* x, int64_t n, const NormParts& parts) {
  Normed norm;
  if (parts.centered) {
    for (int64_t i = 0; i < n; ++i) norm.mean += x[i];
    norm.mean /= static_cast<double>(n);
  }
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) squares += (x[i] - norm.mean) * (x[i] - norm.mean);
  norm.scale = 1 / std::sqrt(squares / static_cast<double>(n) + parts.eps);
  return norm;
}

// With g = dy · weight: dx = scale · (g − x̂ · mean(g x̂)), and less scale · mean(g) where it is centered.
void HeadBack(const float* x, const float* dy, const NormParts& parts, int64_t n, float* dx) {
  const Normed norm = NormOf(x, n, parts);
  const float* weight = WideOf(parts.weight);
  double along = 0, sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double g = double{dy[i]} * weight[i];
    along += g * (x[i] - norm.mean) * norm.scale;
    sum += g;
  }
  along /= static_cast<double>(n);
  const double mean = parts.centered ? sum / static_cast<double>(n) : 0;
  for (int64_t i = 0; i < n; ++i) {
    const double normed = (x[i] - norm.mean) * norm.scale;
    dx[i] += static_cast<float>(norm.scale * (double{dy[i]} * weight[i] - mean - normed * along));
  }
}

void OwnGradients(const Heads& x, const NormParts& parts, const Heads& dy, const NormGradients& gradients) {
  for (int64_t r = 0; r < x.x.rows; ++r) {
    for (int64_t h = 0; h < x.count; ++h) {
      const float* from = RowOf(x.x, r) + h * x.stride;
      const float* given = RowOf(dy.x, r) + h * dy.stride;
      const Normed norm = NormOf(from, x.dim, parts);
      for (int64_t i = 0; i < x.dim; ++i) {
        if (gradients.weight.has_value()) {
          WideOf(gradients.weight)[i] += static_cast<float>(given[i] * (from[i] - norm.mean) * norm.scale);
        }
        if (gradients.bias.has_value()) WideOf(gradients.bias)[i] += given[i];
      }
    }
  }
}

std::vector<double> SoftmaxOf(const float* logits, int64_t n) {
  const double top = *std::max_element(logits, logits + n);
  std::vector<double> p(static_cast<size_t>(n));
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += p[i] = std::exp(logits[i] - top);
  for (double& value : p) value /= sum;
  return p;
}

}  // namespace

BITWRIGHT_VECTOR_CLONES
float Dot(const float* a, const float* b, int64_t n) {
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] += double{a[i + l]} * b[i + l];
  }
  for (int64_t l = 0; i < n; ++i, ++l) lanes[l] += double{a[i]} * b[i];
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return static_cast<float>(sum);
}

void CpuNormBack(const Heads& x, const NormParts& parts, const Heads& dy, const Heads& dx,
                 const NormGradients& gradients, ThreadPool& pool) {
  const EvenCut cut = RowCut(x.x.rows, x.count * x.dim);
  pool.ParallelFor(cut.parts, [&](int64_t part, int) {
    for (int64_t r = cut.begin(part); r < cut.begin(part) + cut.length(part); ++r) {
      for (int64_t h = 0; h < x.count; ++h) {
        HeadBack(RowOf(x.x, r) + h * x.stride, RowOf(dy.x, r) + h * dy.stride, parts, x.dim,
                 RowOf(dx.x, r) + h * dx.stride);
      }
    }
  });
  if (gradients.weight.has_value() || gradients.bias.has_value()) OwnGradients(x, parts, dy, gradients);
}

// With w the weights of a row's chosen experts, p its softmax and s = Σ w · dw over the chosen: where the weights are
// normalized they are the softmax of the chosen logits alone, so that dlogit = w · (dw − s); where they are not,
// dlogit = p · (dw − s) over all experts, dw being 0 for those that were not chosen.
void CpuRouteBack(const Matrix& logits, const Routing& routing, bool normalized,
                  std::span<const std::vector<float>> dweights, const Matrix& dlogits) {
  std::vector<double> sums(static_cast<size_t>(logits.rows));
  for (size_t e = 0; e < routing.rows.size(); ++e) {
    for (size_t i = 0; i < routing.rows[e].size(); ++i) {
      sums[static_cast<size_t>(routing.rows[e][i])] += double{routing.weights[e][i]} * dweights[e][i];
    }
  }
  for (size_t e = 0; e < routing.rows.size(); ++e) {
    for (size_t i = 0; i < routing.rows[e].size(); ++i) {
      const int32_t row = routing.rows[e][i];
      const double less = normalized ? sums[static_cast<size_t>(row)] : 0;
      RowOf(dlogits, row)[e] += static_cast<float>(routing.weights[e][i] * (dweights[e][i] - less));
    }
  }
  if (normalized) return;
  for (int64_t r = 0; r < logits.rows; ++r) {
    const std::vector<double> p = SoftmaxOf(RowOf(logits, r), logits.columns);
    for (int64_t e = 0; e < logits.columns; ++e) {
      RowOf(dlogits, r)[e] -= static_cast<float>(p[static_cast<size_t>(e)] * sums[static_cast<size_t>(r)]);
    }
  }
}

int32_t SampleLabel(const float* logits, int64_t n, double uniform) {
  const std::vector<double> p = SoftmaxOf(logits, n);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    sum += p[static_cast<size_t>(i)];
    if (sum > uniform) return static_cast<int32_t>(i);
  }
  // Rounding left the sum a little below the number: the last label that has any probability.
  int64_t last = n - 1;
  while (last > 0 && p[static_cast<size_t>(last)] == 0) --last;
  return static_cast<int32_t>(last);
}

double LossGradient(float* logits, int64_t n, int32_t label) {
  if (label < 0) {
    std::fill_n(logits, n, 0.0f);
    return 0;
  }
  CHECK(label < n) << "label " << label << " of " << n;
  const std::vector<double> p = SoftmaxOf(logits, n);
  for (int64_t i = 0; i < n; ++i) logits[i] = static_cast<float>(p[static_cast<size_t>(i)] - (i == label ? 1 : 0));
  return -std::log(p[static_cast<size_t>(label)]);
}

}  // namespace bitwright::worker
