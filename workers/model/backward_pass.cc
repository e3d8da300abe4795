#include "workers/model/backward_pass.h"

namespace bitwright::worker {

void BackwardPass::Complete(int value) const {
  if (taps.value) taps.value({value, 0, forward.At(value), Of(value)});
}

void BackwardPass::Linear(int matrix, int64_t expert, const Matrix& input, const Matrix& gradient, float factor,
                          const Matrix& to) const {
  if (taps.linear) taps.linear({matrix, expert, input, gradient, factor});
  device().MultiplyBack(gradient, forward.ExpertAffine(matrix, expert).w, factor, to);
}

void BackwardPass::operator()(const NormOp& op) const {
  Complete(op.out.value);
  if (taps.norm) taps.norm({op.norm, forward.At(op.in), Of(op.out)});
  device().NormBack(forward.At(op.in), forward.NormPartsOf(op.norm), Of(op.out), Of(op.in), {});
}

void BackwardPass::operator()(const LinearOp& op) const {
  Complete(op.out);
  Linear(op.matrix, 0, forward.At(op.in), Of(op.out), static_cast<float>(op.factor), Of(op.in));
  if (op.residual >= 0) device().Add(1, Of(op.out), Of(op.residual));
}

void BackwardPass::operator()(const RotateOp& op) const {
  device().Rotate(forward.ropes[static_cast<size_t>(op.rope)], /*backwards=*/true, Of(op.x));
}

void BackwardPass::operator()(const AttendOp& op) const {
  Complete(op.out.value);
  device().AttendBack(forward.AttentionOf(op), forward.At(op.q), forward.At(op.k), forward.At(op.v), Of(op.out),
                      Of(op.q), Of(op.k), Of(op.v));
}

void BackwardPass::operator()(const ActivateOp& op) const {
  Complete(op.out);
  device().ActivateBack(op.activation, forward.At(op.gate), forward.At(op.up), Of(op.out), Of(op.gate), Of(op.up));
}

void BackwardPass::operator()(const AddOp& op) const {
  Complete(op.out);
  device().Add(1, Of(op.out), Of(op.residual));
  device().Add(static_cast<float>(op.factor), Of(op.out), Of(op.delta));
}

void BackwardPass::operator()(const AddGatedOp& op) const {
  Complete(op.out);
  device().Add(1, Of(op.out), Of(op.residual));
  device().AddGatedBack(1, forward.At(op.gate), forward.At(op.delta), Of(op.out), Of(op.gate), Of(op.delta));
}

void BackwardPass::operator()(const ExpertsOp& op) const {
  Complete(op.out);
  device().Add(1, Of(op.out), Of(op.residual));
  const Routing routing = device().Route(forward.At(op.logits), op.chosen, op.normalized);
  std::vector<std::vector<float>> dweights(routing.rows.size());
  forward.ForEachBatch(op, routing, [&](int64_t e, std::span<const int32_t> tokens, std::span<const float> weights) {
    const std::vector<float> own = Expert(op, e, tokens, weights);
    dweights[static_cast<size_t>(e)].insert(dweights[static_cast<size_t>(e)].end(), own.begin(), own.end());
  });
  device().RouteBack(forward.At(op.logits), routing, op.normalized, dweights, Of(op.logits));
}

// Values of experts are those of the last batch that ran: each is run again.
std::vector<float> BackwardPass::Expert(const ExpertsOp& op, int64_t expert, std::span<const int32_t> tokens,
                                        std::span<const float> weights) const {
  const int64_t rows = static_cast<int64_t>(tokens.size());
  const auto value = [&](int v) { return forward.At(v).Rows(0, rows); };
  const auto gradient = [&](int v) { return Of(v).Rows(0, rows); };
  forward.ExpertRows(op, expert, tokens);
  for (const int v : {op.rows, op.gate_up_rows, op.inner_rows}) device().Fill(0, gradient(v));
  std::vector<float> dweights(tokens.size());
  device().DotRows(value(op.down_rows), Of(op.out), tokens, dweights);
  device().GatherRows(Of(op.out), tokens, gradient(op.down_rows));
  device().ScaleRows(weights, gradient(op.down_rows));
  const auto complete = [&](int v) {
    if (taps.value) taps.value({v, expert, value(v), gradient(v)});
  };
  complete(op.down_rows);
  Linear(op.down, expert, value(op.inner_rows), gradient(op.down_rows), 1, gradient(op.inner_rows));
  complete(op.inner_rows);
  const int64_t inner = forward.At(op.inner_rows).columns;
  const Matrix both = value(op.gate_up_rows), dboth = gradient(op.gate_up_rows);
  device().ActivateBack(op.activation, both.Columns(0, inner), both.Columns(inner, inner), gradient(op.inner_rows),
                        dboth.Columns(0, inner), dboth.Columns(inner, inner));
  complete(op.gate_up_rows);
  Linear(op.gate_up, expert, value(op.rows), dboth, 1, gradient(op.rows));
  complete(op.rows);
  device().AddRows(gradient(op.rows), tokens, std::vector<float>(tokens.size(), 1.0f), Of(op.in));
  return dweights;
}

}  // namespace bitwright::worker
