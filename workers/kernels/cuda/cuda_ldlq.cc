#include "workers/kernels/cuda/cuda_ldlq.h"

#include <algorithm>

#include "proto/base/log.h"
#include "workers/kernels/cuda/product.h"
#include "workers/kernels/cuda/row_sums.h"

namespace bitwright::worker::cuda {

ScaleSearch SearchOf(const IntGrid& grid, ScaleMethod method) {
  ScaleSearch search{};
  const std::span<const float> factors = ClipFactors(grid.bits);
  CHECK(factors.size() == ScaleSearch::kFactors) << factors.size();
  std::ranges::copy(factors, search.factors);
  search.searched = method == ScaleMethod::kSearched;
  search.steps = static_cast<float>((1 << grid.bits) - 1) / 2;
  search.low = static_cast<float>(grid.MinCode());
  search.high = static_cast<float>(grid.MaxCode());
  search.type = grid.type;
  return search;
}

void ForPanels(const Context& context, const CudaFactor& factor, const LdlqRows& rows, float* sums,
               const std::function<cudaError_t(const LdlqPanel&)>& round) {
  const auto clear = [&](void* data, int64_t bytes) {
    Check(cudaMemsetAsync(data, 0, static_cast<size_t>(bytes), context.stream), "clearing");
  };
  clear(sums, rows.rows * rows.stride * static_cast<int64_t>(sizeof(float)));
  clear(rows.loss, rows.rows * static_cast<int64_t>(sizeof(double)));
  clear(rows.squared, rows.rows * static_cast<int64_t>(sizeof(double)));
  const int64_t n = factor.head.inputs;
  for (int64_t begin = 0; begin < n; begin += kPanel) {
    const auto width = static_cast<int>(std::min<int64_t>(kPanel, n - begin));
    Check(round({begin, width, factor.m.data(), factor.d.data(), factor.order.data()}), "rounding a panel");
    const int64_t end = begin + kPanel, rest = rows.stride - end;
    if (rest <= 0) break;
    const float* m = factor.m.data() + begin * factor.stride + end;
    Product(context, 1, {rows.errors, kPanel}, {m, factor.stride}, kPanel, 1,
            {sums + end, rows.rows, rest, rows.stride});
  }
}

CudaLdlq::CudaLdlq(const Context& context, const CudaFactor& factor, const Matrix& weights)
    : context_(context),
      factor_(factor),
      weights_(WideOf(weights)),
      w_(context, weights.rows * factor.stride),
      sums_(context, weights.rows * factor.stride),
      errors_(context, weights.rows * kPanel),
      codes_(context, weights.rows * factor.head.inputs),
      loss_(context, weights.rows),
      squared_(context, weights.rows) {
  Check(GatherRows(weights_, factor.order.data(), factor.dead.data(), {w_.data(), factor.stride}, context.stream),
        "gathering weights");
}

void CudaLdlq::Round(const IntGrid& grid, const LdlqOptions& options) {
  const int64_t n = factor_.head.inputs, rows = weights_.rows;
  // A group that covers its whole row is reached before any error has spread: dynamic would be static.
  const bool dynamic = !options.static_groups && !factor_.head.act_order && grid.group != n;
  CHECK(n % grid.group == 0 && (!dynamic || (kPanel % grid.group == 0 && grid.group % 4 == 0)))
      << n << " " << grid.group;
  scales_ = std::make_unique<Array<float>>(context_, rows * (n / grid.group));
  const ScaleSearch search = SearchOf(grid, options.scales);
  const float* importance = factor_.importance->data();
  if (!dynamic) {
    Check(
        ChooseScales({weights_, factor_.dead.data()}, grid.group, search, importance, scales_->data(), context_.stream),
        "choosing scales");
  }
  const LdlqRows all{w_.data(),       sums_.data(), errors_.data(), rows, factor_.stride, loss_.data(), squared_.data(),
                     scales_->data(), nullptr,      grid.group,     n,    codes_.data()};
  ForPanels(context_, factor_, all, sums_.data(), [&](const LdlqPanel& panel) {
    return RoundPanel(all, panel, search, dynamic, importance, context_.stream);
  });
  Check(TakeOffDamping(rows, factor_.head.added, squared_.data(), loss_.data(), context_.stream), "summing losses");
}

}  // namespace bitwright::worker::cuda
