#include "workers/model/block_runner.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/contract/memory_cuts.h"
#include "workers/model/backward_pass.h"
#include "workers/model/block_pass.h"
#include "workers/model/rope.h"

namespace bitwright::worker {
namespace {

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

DeviceMatrix BlockRunner::Embed(std::span<const int32_t> ids, const TableSource* tokens) const {
  DeviceMatrix x = NewStream(static_cast<int64_t>(ids.size()) / window_);
  model_.Embed(ids, window_, device_, x.view(), tokens);
  return x;
}

void BlockRunner::UseSlots(Way way) {
  if (way != way_) slots_.clear();
  way_ = way;
}

Matrix BlockRunner::Slot(size_t index, int64_t rows, int64_t columns) {
  if (slots_.size() <= index) slots_.resize(index + 1);
  DeviceMatrix& slot = slots_[index];
  if (slot.view().rows < rows * columns) slot = DeviceMatrix(device_, DType::kF32, rows * columns, 1);
  return {slot.view().memory, 0, rows, columns, columns};
}

absl::Status BlockRunner::RunBlocks(int64_t begin, int64_t end, const Matrix& x, const UnitSource& source,
                                    const std::function<void(int64_t passed)>& progress) {
  for (int64_t b = begin; b < end; ++b) {
    ABSL_ASSIGN_OR_RETURN(const BlockWeights block, LoadBlock(b, source));
    if (!source) model_.Prefetch(b + 1);
    Run(block, x);
    if (progress) progress(b - begin + 1);
  }
  return absl::OkStatus();
}

void BlockRunner::Run(const BlockWeights& block, const Matrix& x, const ValueTap& tap) {
  const ValuePlan plan = PlanValues(block.program);
  const int64_t chunk = ChunkRows(plan.RowBytes(), window_, x.rows);
  UseSlots(Way::kForward);
  for (size_t v = 0; v < plan.slot.size(); ++v) {
    const ValueSpec& spec = block.program.values[v];
    if (plan.slot[v] != ValuePlan::kEntering) Slot(static_cast<size_t>(plan.slot[v]), spec.Rows(chunk), spec.columns);
  }
  for (int64_t first = 0; first < x.rows; first += chunk) {
    const int64_t rows = std::min(chunk, x.rows - first);
    BlockPass pass{device_, block, ropes_, window_, tap, {}};
    for (size_t v = 0; v < plan.slot.size(); ++v) {
      const size_t slot = static_cast<size_t>(plan.slot[v]);
      const ValueSpec& spec = block.program.values[v];
      pass.values.push_back(slot == ValuePlan::kEntering ? x.Rows(first, rows)
                                                         : Slot(slot, spec.Rows(rows), spec.columns));
    }
    for (const Operation& operation : block.program.operations) std::visit(pass, operation);
    if (!plan.output_in_place) device_.Copy(pass.At(block.program.output), x.Rows(first, rows));
  }
}

// Every value has memory of its own, since the way back reads it again, and so has its gradient.
void BlockRunner::RunBack(const BlockWeights& block, const Matrix& x, const Matrix& d, const GradientTaps& taps) {
  const std::vector<ValueSpec>& specs = block.program.values;
  const int64_t chunk = ChunkRows(BackwardRowBytes(block.program), window_, x.rows);
  UseSlots(Way::kBackward);
  for (size_t v = 0; v < 2 * specs.size(); ++v) Slot(v, specs[v / 2].Rows(chunk), specs[v / 2].columns);
  const ValueTap no_tap;
  for (int64_t first = 0; first < x.rows; first += chunk) {
    const int64_t rows = std::min(chunk, x.rows - first);
    BlockPass forward{device_, block, ropes_, window_, no_tap, {}};
    BackwardPass backward{forward, taps, {}};
    for (size_t v = 0; v < specs.size(); ++v) {
      const int64_t own = specs[v].Rows(rows), columns = specs[v].columns;
      forward.values.push_back(Slot(2 * v, own, columns));
      backward.gradients.push_back(Slot(2 * v + 1, own, columns));
      device_.Fill(0, backward.gradients.back());
    }
    device_.Copy(x.Rows(first, rows), forward.values.front());
    for (const Operation& operation : block.program.operations) std::visit(forward, operation);
    device_.Copy(d.Rows(first, rows), backward.gradients[static_cast<size_t>(block.program.output)]);
    for (auto operation = block.program.operations.rbegin(); operation != block.program.operations.rend();
         ++operation) {
      std::visit(backward, *operation);
    }
    backward.Complete(0);
    device_.Copy(backward.gradients.front(), d.Rows(first, rows));
  }
}

}  // namespace bitwright::worker
