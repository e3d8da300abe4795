#include "workers/model/block_runner.h"

#include <algorithm>

#include "workers/model/rope.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kChunkRows = 4096;
constexpr int64_t kChunkBytes = int64_t{512} << 20;

// Width of the heads that a rope rotates, in the first block that has it.
int64_t HeadDim(const ModelConfig& config, int rope) {
  for (int64_t b = 0; b < config.layers; ++b) {
    const BlockProgram program = config.block(b);
    for (const Operation& operation : program.operations) {
      const auto* rotate = std::get_if<RotateOp>(&operation);
      if (rotate != nullptr && rotate->rope == rope) return rotate->x.dim;
    }
  }
  return 0;  // no block has it
}

}  // namespace

BlockRunner::BlockRunner(const Model& model, int64_t window, Compute compute, Device& device)
    : model_(model), window_(window), compute_(compute), device_(device) {
  for (size_t i = 0; i < model.config().ropes.size(); ++i) {
    const RopeConfig& rope = model.config().ropes[i];
    const int64_t rotary = rope.Rotary(HeadDim(model.config(), static_cast<int>(i)));
    RotaryParts& parts = ropes_.emplace_back();
    if (rotary == 0) continue;
    const RopeTable table = MakeRopeTable(rope, rotary, window);
    for (const auto& [values, part] : {std::pair{&table.cos, &parts.cos}, {&table.sin, &parts.sin}}) {
      const DeviceMatrix& on_device = tables_.emplace_back(device, DType::kF32, window, rotary / 2);
      device.Write(*values, on_device.view());
      *part = on_device.view();
    }
    parts.rotary = rotary;
    parts.interleaved = rope.interleaved;
  }
}

DeviceMatrix BlockRunner::Embed(std::span<const int32_t> ids) const {
  DeviceMatrix x = NewStream(static_cast<int64_t>(ids.size()) / window_);
  model_.Embed(ids, window_, device_, x.view());
  return x;
}

int64_t BlockRunner::ChunkRows(const ValuePlan& plan, int64_t rows) const {
  const int64_t most = std::min(kChunkRows, kChunkBytes / (4 * std::max<int64_t>(1, plan.RowFloats())));
  return std::min(rows, std::max<int64_t>(1, most / window_) * window_);
}

struct BlockRunner::Pass {
  BlockRunner& runner;
  const BlockWeights& block;
  const ValueTap& tap;
  std::vector<Matrix> values;

  Device& device() const { return runner.device_; }
  const Matrix& At(int value) const { return values[static_cast<size_t>(value)]; }
  Matrix At(const Part& part) const {
    return part.value < 0 ? Matrix() : At(part.value).Columns(part.first, part.columns);
  }
  Heads At(const HeadsPart& part) const {
    return {At(part.value).Columns(part.first, (part.count - 1) * part.stride + part.dim), part.count, part.stride,
            part.dim};
  }
  void Written(int value) const {
    if (tap) tap({value, 0, At(value)});
  }
  // Out begins as the residual.
  void Begin(int residual, int out) const {
    if (At(residual).memory != At(out).memory) device().Copy(At(residual), At(out));
  }
  Device::Affine AffineOf(int matrix) const {
    const WeightsWithBias& weights = block.matrices[static_cast<size_t>(matrix)];
    return {weights.weight.view(), weights.bias.view()};
  }

  void operator()(const NormOp& op) const {
    const size_t norm = static_cast<size_t>(op.norm);
    device().Norm(At(op.in), PartsOf(block.program.norms[norm], block.norms[norm]), At(op.out));
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
    device().Rotate(runner.ropes_[static_cast<size_t>(op.rope)], /*backwards=*/false, At(op.x));
    Written(op.x.value);
  }
  void operator()(const AttendOp& op) const {
    const AttentionParts parts{static_cast<float>(op.scale), static_cast<float>(op.soft_cap), runner.window_, op.reach};
    device().Attend(parts, At(op.q), At(op.k), At(op.v), At(op.out));
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
    for (size_t e = 0; e < routing.rows.size(); ++e) {
      if (!routing.rows[e].empty()) RunExpert(op, static_cast<int64_t>(e), routing.rows[e], routing.weights[e]);
    }
    Written(op.out);
  }

  void RunExpert(const ExpertsOp& op, int64_t expert, std::span<const int32_t> tokens,
                 std::span<const float> weights) const {
    const int64_t rows = static_cast<int64_t>(tokens.size());
    const auto own = [&](int value) { return At(value).Rows(0, rows); };
    const auto written = [&](int value) {
      if (tap) tap({value, expert, own(value)});
    };
    // The expert's rows of a unit.
    const auto affine = [&](int unit) {
      Device::Affine all = AffineOf(unit);
      const int64_t out = all.w.rows / block.program.units[static_cast<size_t>(unit)].experts;
      all.w = all.w.Rows(expert * out, out);
      return all;
    };
    device().GatherRows(At(op.in), tokens, own(op.rows));
    written(op.rows);
    device().Multiply(own(op.rows), affine(op.gate_up), own(op.gate_up_rows));
    written(op.gate_up_rows);
    const int64_t inner = At(op.inner_rows).columns;
    device().Activate(op.activation, own(op.gate_up_rows).Columns(0, inner), own(op.gate_up_rows).Columns(inner, inner),
                      own(op.inner_rows));
    written(op.inner_rows);
    device().Multiply(own(op.inner_rows), affine(op.down), own(op.down_rows));
    written(op.down_rows);
    device().AddRows(own(op.down_rows), tokens, weights, At(op.out));
  }
};

void BlockRunner::Run(const BlockWeights& block, const Matrix& x, const ValueTap& tap) {
  const ValuePlan plan = PlanValues(block.program);
  const int64_t chunk = ChunkRows(plan, x.rows);
  slots_.resize(std::max(slots_.size(), plan.columns.size()));
  for (size_t s = 1; s < plan.columns.size(); ++s) {
    const int64_t wanted = chunk * plan.columns[s];
    if (slots_[s].view().rows < wanted) slots_[s] = DeviceMatrix(device_, DType::kF32, wanted, 1);
  }
  for (int64_t first = 0; first < x.rows; first += chunk) {
    const int64_t rows = std::min(chunk, x.rows - first);
    Pass pass{*this, block, tap, {}};
    for (size_t v = 0; v < plan.slot.size(); ++v) {
      const size_t slot = static_cast<size_t>(plan.slot[v]);
      const int64_t columns = block.program.values[v].columns;
      pass.values.push_back(slot == ValuePlan::kEntering
                                ? x.Rows(first, rows)
                                : Matrix{slots_[slot].view().memory, 0, rows, columns, columns});
    }
    for (const Operation& operation : block.program.operations) std::visit(pass, operation);
    if (!plan.output_in_place) device_.Copy(pass.At(block.program.output), x.Rows(first, rows));
  }
}

}  // namespace bitwright::worker
