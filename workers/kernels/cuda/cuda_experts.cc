#include "workers/kernels/cuda/cuda_experts.h"

#include "proto/base/log.h"
#include "workers/kernels/cuda/routing.h"

namespace bitwright::worker::cuda {

Routing RouteRows(const Context& context, const Matrix& logits, int64_t chosen, bool normalized) {
  CHECK(chosen <= logits.columns) << chosen << " of " << logits.columns << " experts";
  std::vector<int32_t> experts(static_cast<size_t>(logits.rows * chosen));
  std::vector<float> weights(experts.size());
  {
    const Array<int32_t> on_card(context, logits.rows * chosen);
    const Array<float> weights_on_card(context, logits.rows * chosen);
    Check(Route(WideOf(logits), chosen, normalized, on_card.data(), weights_on_card.data(), context.stream), "routing");
    on_card.Read(experts);
    weights_on_card.Read(weights);
  }
  Routing routing;
  routing.rows.resize(static_cast<size_t>(logits.columns));
  routing.weights.resize(routing.rows.size());
  for (size_t i = 0; i < experts.size(); ++i) {
    const size_t expert = static_cast<size_t>(experts[i]);
    routing.rows[expert].push_back(static_cast<int32_t>(static_cast<int64_t>(i) / chosen));
    routing.weights[expert].push_back(weights[i]);
  }
  return routing;
}

// With w the weights of a row's chosen experts, p its softmax and s = Σ w · dw over the chosen: where the weights are
// normalized they are the softmax of the chosen logits alone, so that dlogit = w · (dw − s); where they are not,
// dlogit = p · (dw − s) over all experts, dw being 0 for those that were not chosen.
void RouteRowsBack(const Context& context, const Matrix& logits, const Routing& routing, bool normalized,
                   std::span<const std::vector<float>> dweights, const Matrix& dlogits) {
  std::vector<double> sums(static_cast<size_t>(logits.rows));
  for (size_t e = 0; e < routing.rows.size(); ++e) {
    for (size_t i = 0; i < routing.rows[e].size(); ++i) {
      sums[static_cast<size_t>(routing.rows[e][i])] += double{routing.weights[e][i]} * dweights[e][i];
    }
  }
  std::vector<int32_t> rows, experts;
  std::vector<float> values;
  for (size_t e = 0; e < routing.rows.size(); ++e) {
    for (size_t i = 0; i < routing.rows[e].size(); ++i) {
      const double less = normalized ? sums[static_cast<size_t>(routing.rows[e][i])] : 0;
      rows.push_back(routing.rows[e][i]);
      experts.push_back(static_cast<int32_t>(e));
      values.push_back(static_cast<float>(routing.weights[e][i] * (dweights[e][i] - less)));
    }
  }
  const Array<int32_t> card_rows(context, std::span<const int32_t>(rows));
  const Array<int32_t> card_experts(context, std::span<const int32_t>(experts));
  const Array<float> card_values(context, std::span<const float>(values));
  Check(AddEntries(card_rows.elements(), card_rows.data(), card_experts.data(), card_values.data(), WideOf(dlogits),
                   context.stream),
        "routing, backwards");
  if (normalized) return;
  const Array<double> card_sums(context, std::span<const double>(sums));
  Check(TakeSoftmax(WideOf(logits), card_sums.data(), WideOf(dlogits), context.stream), "routing, backwards");
}

}  // namespace bitwright::worker::cuda
