#include "workers/families/block_builder.h"

namespace bitwright::worker {
namespace {

// Kept matrices are numbered behind the units, whose number is known at the end alone: until then from here on.
constexpr int kFirstKept = 1 << 20;
// Of the tokens, an expert's rows at a time: few models send more than a quarter of them to one expert.
constexpr int64_t kExpertShare = 4;

}  // namespace

BlockBuilder::BlockBuilder(std::string prefix, int64_t hidden) {
  program_.prefix = std::move(prefix);
  program_.values.push_back({"stream", hidden});
}

int BlockBuilder::Value(std::string name, int64_t columns, int64_t share) {
  program_.values.push_back({std::move(name), columns, share});
  return static_cast<int>(program_.values.size()) - 1;
}

int BlockBuilder::Matrix(UnitSpec unit) {
  program_.units.push_back(std::move(unit));
  return static_cast<int>(program_.units.size()) - 1;
}

HeadsPart BlockBuilder::WholeRow(int value) const {
  const int64_t columns = program_.values[static_cast<size_t>(value)].columns;
  return {value, 0, 1, columns, columns};
}

int BlockBuilder::NormIndex(NormSpec norm) {
  program_.norms.push_back(std::move(norm));
  return static_cast<int>(program_.norms.size()) - 1;
}

int BlockBuilder::Norm(int x, NormSpec norm, std::string name) {
  const int out = Value(std::move(name), norm.dim);
  program_.operations.push_back(NormOp{WholeRow(x), WholeRow(out), NormIndex(std::move(norm))});
  return out;
}

int BlockBuilder::Linear(int x, UnitSpec unit, std::string name, int residual, double factor) {
  const int out = Value(std::move(name), unit.out());
  program_.operations.push_back(LinearOp{Whole(x), Matrix(std::move(unit)), residual, factor, out});
  return out;
}

int BlockBuilder::KeptLinear(int x, UnitSpec unit, std::string name) {
  const int out = Value(std::move(name), unit.out());
  program_.kept.push_back(std::move(unit));
  program_.operations.push_back(LinearOp{Whole(x), kFirstKept + kept_++, kNone, 1, out});
  return out;
}

int BlockBuilder::Activate(int x, Activation activation) {
  const int out = Value("inner", program_.values[static_cast<size_t>(x)].columns);
  program_.operations.push_back(ActivateOp{Whole(x), {}, activation, out});
  return out;
}

int BlockBuilder::Add(int residual, int delta, double factor) {
  const int out = Value("stream", program_.values[static_cast<size_t>(delta)].columns);
  program_.operations.push_back(AddOp{residual, delta, factor, out});
  return out;
}

int BlockBuilder::AddGated(int residual, int gate, int delta) {
  const int out = Value("stream", program_.values[static_cast<size_t>(delta)].columns);
  program_.operations.push_back(AddGatedOp{residual, gate, delta, out});
  return out;
}

int BlockBuilder::Attention(int x, const AttentionPlan& plan, int residual, double factor) {
  const int64_t dim = plan.head_dim, heads = plan.heads, kv_heads = plan.kv_heads;
  const int qkv = Linear(x, plan.qkv, "qkv");
  const int64_t stride = plan.by_head ? 3 * dim : dim;
  HeadsPart q{qkv, 0, heads, stride, dim};
  HeadsPart k{qkv, plan.by_head ? dim : heads * dim, kv_heads, stride, dim};
  const HeadsPart v{qkv, k.first + (plan.by_head ? dim : kv_heads * dim), kv_heads, stride, dim};
  if (!plan.q_norm.weight.empty()) {
    const int normed = Value("qk", (heads + kv_heads) * dim);
    const auto norm = [&](HeadsPart& from, int64_t first, const NormSpec& spec) {
      const HeadsPart to{normed, first, from.count, dim, dim};
      if (spec.dim == dim) {
        program_.operations.push_back(NormOp{from, to, NormIndex(spec)});
      } else {  // all heads as one row
        const HeadsPart row{from.value, from.first, 1, spec.dim, spec.dim};
        program_.operations.push_back(NormOp{row, {normed, first, 1, spec.dim, spec.dim}, NormIndex(spec)});
      }
      from = to;
    };
    norm(q, 0, plan.q_norm);
    norm(k, heads * dim, plan.k_norm);
  }
  if (plan.rope >= 0) {
    program_.operations.push_back(RotateOp{q, plan.rope});
    program_.operations.push_back(RotateOp{k, plan.rope});
  }
  const int attention = Value("attention", heads * dim);
  program_.operations.push_back(
      AttendOp{q, k, v, {attention, 0, heads, dim, dim}, plan.scale, plan.soft_cap, plan.reach});
  return Linear(attention, plan.output, residual == kNone ? "attention output" : "stream", residual, factor);
}

int BlockBuilder::GatedMlp(int x, UnitSpec gate_up, UnitSpec down, Activation activation, int residual, double factor) {
  const int64_t inner = gate_up.out() / 2;
  const int both = Linear(x, std::move(gate_up), "gate and up");
  const int out = Value("inner", inner);
  program_.operations.push_back(ActivateOp{{both, 0, inner}, {both, inner, inner}, activation, out});
  return Linear(out, std::move(down), residual == kNone ? "mlp output" : "stream", residual, factor);
}

int BlockBuilder::Mlp(int x, UnitSpec up, UnitSpec down, Activation activation, int residual) {
  const int inner = Activate(Linear(x, std::move(up), "up"), activation);
  return Linear(inner, std::move(down), residual == kNone ? "mlp output" : "stream", residual);
}

int BlockBuilder::Experts(int x, int logits, UnitSpec gate_up, UnitSpec down, int64_t chosen, bool normalized,
                          Activation activation, int residual) {
  ExpertsOp op;
  const int64_t inner = down.in(), hidden = gate_up.in();
  op.in = x;
  op.logits = logits;
  op.residual = residual;
  op.chosen = chosen;
  op.normalized = normalized;
  op.activation = activation;
  op.gate_up = Matrix(std::move(gate_up));
  op.down = Matrix(std::move(down));
  op.rows = Value("expert rows", hidden, kExpertShare);
  op.gate_up_rows = Value("expert gate and up", 2 * inner, kExpertShare);
  op.inner_rows = Value("expert inner", inner, kExpertShare);
  op.down_rows = Value("expert output", hidden, kExpertShare);
  op.out = Value("stream", hidden);
  program_.operations.push_back(op);
  return op.out;
}

BlockProgram BlockBuilder::Finish(int output) {
  program_.output = output;
  for (Operation& operation : program_.operations) {
    if (auto* linear = std::get_if<LinearOp>(&operation); linear != nullptr && linear->matrix >= kFirstKept) {
      linear->matrix += static_cast<int>(program_.units.size()) - kFirstKept;
    }
  }
  return std::move(program_);
}

}  // namespace bitwright::worker
