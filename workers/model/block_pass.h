#pragma once

#include <span>
#include <vector>

#include "workers/model/block_runner.h"

namespace bitwright::worker {

// The columns and heads of a value that an operation names; of its gradient they are the same.
inline Matrix PartOf(const Matrix& whole, const Part& part) { return whole.Columns(part.first, part.columns); }
inline Heads PartOf(const Matrix& whole, const HeadsPart& part) {
  return {whole.Columns(part.first, (part.count - 1) * part.stride + part.dim), part.count, part.stride, part.dim};
}

// One chunk of windows on its way forward through a block: what each operation does.
struct BlockPass {
  Device& on;
  const BlockWeights& block;
  const std::vector<RotaryParts>& ropes;
  int64_t window;
  const ValueTap& tap;
  std::vector<Matrix> values;  // where each value of the program lies

  Device& device() const { return on; }
  const Matrix& At(int value) const { return values[static_cast<size_t>(value)]; }
  Matrix At(const Part& part) const { return part.value < 0 ? Matrix() : PartOf(At(part.value), part); }
  Heads At(const HeadsPart& part) const { return PartOf(At(part.value), part); }
  void Written(int value) const {
    if (tap) tap({value, 0, At(value)});
  }
  // Out begins as the residual.
  void Begin(int residual, int out) const {
    if (At(residual).memory != At(out).memory) device().Copy(At(residual), At(out));
  }
  Device::Affine AffineOf(int matrix) const {
    const WeightsWithBias& weights = block.matrices[static_cast<size_t>(matrix)];
    Device::Affine affine{weights.weight.view(), weights.bias.view()};
    affine.site = weights.input;
    return affine;
  }
  // The rows of a unit that are one expert's.
  Device::Affine ExpertAffine(int matrix, int64_t expert) const {
    Device::Affine affine = AffineOf(matrix);
    const int64_t out = affine.w.rows / block.program.matrix(matrix).experts;
    affine.w = affine.w.Rows(expert * out, out);
    return affine;
  }
  NormParts NormPartsOf(int norm) const {
    const size_t n = static_cast<size_t>(norm);
    return PartsOf(block.program.norms[n], block.norms[n]);
  }
  AttentionParts AttentionOf(const AttendOp& op) const {
    return {static_cast<float>(op.scale), static_cast<float>(op.soft_cap), window, op.reach};
  }

  void operator()(const NormOp& op) const {
    device().Norm(At(op.in), NormPartsOf(op.norm), At(op.out));
    Written(op.out.value);
  }
  void operator()(const LinearOp& op) const {
    Device::Affine affine = AffineOf(op.matrix);
    affine.factor = static_cast<float>(op.factor);
    affine.add = op.residual >= 0;
    if (affine.add) Begin(op.residual, op.out);
    device().Multiply(At(op.in), affine, At(op.out));
    Written(op.out);
  }
  void operator()(const RotateOp& op) const {
    device().Rotate(ropes[static_cast<size_t>(op.rope)], /*backwards=*/false, At(op.x));
    Written(op.x.value);
  }
  void operator()(const AttendOp& op) const {
    device().Attend(AttentionOf(op), At(op.q), At(op.k), At(op.v), At(op.out));
    Written(op.out.value);
  }
  void operator()(const ActivateOp& op) const {
    device().Activate(op.activation, At(op.gate), At(op.up), At(op.out));
    Written(op.out);
  }
  void operator()(const AddOp& op) const {
    Begin(op.residual, op.out);
    device().Add(static_cast<float>(op.factor), At(op.delta), At(op.out));
    Written(op.out);
  }
  void operator()(const AddGatedOp& op) const {
    Begin(op.residual, op.out);
    device().AddGated(1, At(op.gate), At(op.delta), At(op.out));
    Written(op.out);
  }
  void operator()(const ExpertsOp& op) const {
    const Routing routing = device().Route(At(op.logits), op.chosen, op.normalized);
    Begin(op.residual, op.out);
    ForEachBatch(op, routing, [&](int64_t e, std::span<const int32_t> tokens, std::span<const float> weights) {
      ExpertRows(op, e, tokens);
      device().AddRows(At(op.down_rows).Rows(0, static_cast<int64_t>(tokens.size())), tokens, weights, At(op.out));
    });
    Written(op.out);
  }

  // Calls each(expert, tokens, weights) for all that was routed, expert after expert, so many tokens at a time as their
  // values have rows.
  template <typename F>
  void ForEachBatch(const ExpertsOp& op, const Routing& routing, const F& each) const {
    const size_t most = static_cast<size_t>(At(op.rows).rows);
    for (size_t e = 0; e < routing.rows.size(); ++e) {
      const std::span<const int32_t> tokens(routing.rows[e]);
      const std::span<const float> weights(routing.weights[e]);
      for (size_t first = 0; first < tokens.size(); first += most) {
        const size_t count = std::min(most, tokens.size() - first);
        each(static_cast<int64_t>(e), tokens.subspan(first, count), weights.subspan(first, count));
      }
    }
  }

  // What an expert makes of its tokens.
  void ExpertRows(const ExpertsOp& op, int64_t expert, std::span<const int32_t> tokens) const {
    const int64_t rows = static_cast<int64_t>(tokens.size());
    const auto own = [&](int value) { return At(value).Rows(0, rows); };
    const auto written = [&](int value) {
      if (tap) tap({value, expert, own(value)});
    };
    device().GatherRows(At(op.in), tokens, own(op.rows));
    written(op.rows);
    device().Multiply(own(op.rows), ExpertAffine(op.gate_up, expert), own(op.gate_up_rows));
    written(op.gate_up_rows);
    const int64_t inner = At(op.inner_rows).columns;
    device().Activate(op.activation, own(op.gate_up_rows).Columns(0, inner), own(op.gate_up_rows).Columns(inner, inner),
                      own(op.inner_rows));
    written(op.inner_rows);
    device().Multiply(own(op.inner_rows), ExpertAffine(op.down, expert), own(op.down_rows));
    written(op.down_rows);
  }
};

}  // namespace bitwright::worker
