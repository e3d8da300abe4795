#include "workers/model/value_plan.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "workers/families/config.h"
#include "workers/families/family.h"

namespace bitwright::worker {
namespace {

ModelConfig Bare(std::string_view family) {
  auto config = ParseModelConfig("{\"model_type\": \"" + std::string(family) + "\"}");
  EXPECT_THAT(config, IsOk());
  return *std::move(config);
}

TEST(ValuePlan, ALlamaNeedsThreeSlotsAndWorksInPlace) {
  const ModelConfig config = Bare("llama");
  const ValuePlan plan = PlanValues(config.block(0));
  EXPECT_TRUE(plan.output_in_place);
  // Norm, [gate, up] and f(gate) · up at most at a time; attention has less.
  EXPECT_LE(plan.columns.size(), 4U);
  EXPECT_LE(plan.RowBytes() / 4,
            config.hidden + 2 * config.intermediate + std::max(3 * config.hidden, config.intermediate));
}

// Plays the operations through: whatever one reads must still be what was written last.
class Player {
 public:
  Player(const BlockProgram& program, const ValuePlan& plan) : plan_(plan), holds_(plan.columns.size(), -1) {
    for (size_t v = 0; v < program.values.size(); ++v) {
      EXPECT_GE(plan.columns[static_cast<size_t>(plan.slot[v])], program.values[v].Width());
    }
    Write(0);
  }

  void operator()(const NormOp& op) { Read(op.in.value), Write(op.out.value); }
  void operator()(const LinearOp& op) { Read(op.in.value), Replace(op.residual, op.out); }
  void operator()(const RotateOp& op) { Read(op.x.value); }
  void operator()(const AttendOp& op) {
    for (const int value : {op.q.value, op.k.value, op.v.value}) Read(value);
    Write(op.out.value);
    for (const int value : {op.q.value, op.k.value, op.v.value}) Read(value);  // not overwritten by the result
  }
  void operator()(const ActivateOp& op) { Read(op.gate.value), Read(op.up.value), Write(op.out); }
  void operator()(const AddOp& op) { Read(op.delta), Replace(op.residual, op.out), Read(op.delta); }
  void operator()(const AddGatedOp& op) {
    Read(op.delta), Read(op.gate), Replace(op.residual, op.out), Read(op.delta), Read(op.gate);
  }
  void operator()(const ExpertsOp& op) {
    Read(op.in), Read(op.logits), Replace(op.residual, op.out);
    for (const int value : {op.rows, op.gate_up_rows, op.inner_rows, op.down_rows}) Write(value);
    for (const int value : {op.in, op.logits, op.out, op.rows, op.gate_up_rows, op.inner_rows, op.down_rows})
      Read(value);
  }
  void Read(int value) {
    if (value < 0) return;
    EXPECT_EQ(holds_[Slot(value)], value);
  }

 private:
  size_t Slot(int value) const { return static_cast<size_t>(plan_.slot[static_cast<size_t>(value)]); }
  void Write(int value) { holds_[Slot(value)] = value; }
  void Replace(int residual, int out) { Read(residual), Write(out); }

  const ValuePlan& plan_;
  std::vector<int> holds_;  // the value that each slot holds
};

TEST(ValuePlan, NoFamilyLosesAValueThatIsStillRead) {
  for (const Family* family : Families()) {
    SCOPED_TRACE(family->name);
    const ModelConfig config = Bare(family->name);
    for (const int64_t b : {int64_t{0}, config.layers - 1}) {
      const BlockProgram program = config.block(b);
      const ValuePlan plan = PlanValues(program);
      Player player(program, plan);
      for (const Operation& operation : program.operations) std::visit(player, operation);
      player.Read(program.output);
    }
  }
}

}  // namespace
}  // namespace bitwright::worker
