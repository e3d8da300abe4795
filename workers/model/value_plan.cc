#include "workers/model/value_plan.h"

#include <algorithm>

#include "proto/base/log.h"

namespace bitwright::worker {
namespace {

// What one operation reads and writes. Of its reads, `residual` is the one whose place the output may take.
struct Uses {
  std::vector<int> reads;
  std::vector<int> writes;
  int residual = -1;
};

struct UsesOf {
  Uses operator()(const NormOp& op) const { return {{op.in.value}, {op.out.value}}; }
  Uses operator()(const LinearOp& op) const { return {{op.in.value, op.residual}, {op.out}, op.residual}; }
  Uses operator()(const RotateOp& op) const { return {{op.x.value}, {}}; }
  Uses operator()(const AttendOp& op) const { return {{op.q.value, op.k.value, op.v.value}, {op.out.value}}; }
  Uses operator()(const ActivateOp& op) const { return {{op.gate.value, op.up.value}, {op.out}}; }
  Uses operator()(const AddOp& op) const { return {{op.residual, op.delta}, {op.out}, op.residual}; }
  Uses operator()(const AddGatedOp& op) const { return {{op.residual, op.gate, op.delta}, {op.out}, op.residual}; }
  Uses operator()(const ExpertsOp& op) const {
    return {
        {op.in, op.logits, op.residual}, {op.out, op.rows, op.gate_up_rows, op.inner_rows, op.down_rows}, op.residual};
  }
};

class Planner {
 public:
  explicit Planner(const BlockProgram& program) : program_(program), last_use_(program.values.size(), -1) {
    plan_.slot.assign(program.values.size(), -1);
    for (size_t i = 0; i < program.operations.size(); ++i) {
      uses_.push_back(std::visit(UsesOf(), program.operations[i]));
      for (const std::vector<int>* values : {&uses_.back().reads, &uses_.back().writes}) {
        for (const int value : *values) {
          if (value >= 0) last_use_[static_cast<size_t>(value)] = static_cast<int>(i);
        }
      }
    }
    last_use_[static_cast<size_t>(program.output)] = static_cast<int>(program.operations.size());
  }

  ValuePlan Plan() {
    Take(0, NewSlot());
    for (size_t i = 0; i < uses_.size(); ++i) {
      for (const int value : uses_[i].writes) {
        if (plan_.slot[static_cast<size_t>(value)] < 0) Place(value, uses_[i], static_cast<int>(i));
      }
      Release(static_cast<int>(i));
    }
    plan_.output_in_place = plan_.slot[static_cast<size_t>(program_.output)] == ValuePlan::kEntering;
    return std::move(plan_);
  }

 private:
  int NewSlot() {
    plan_.columns.push_back(0);
    return static_cast<int>(plan_.columns.size()) - 1;
  }

  void Take(int value, int slot) {
    plan_.slot[static_cast<size_t>(value)] = slot;
    int64_t& columns = plan_.columns[static_cast<size_t>(slot)];
    columns = std::max(columns, program_.values[static_cast<size_t>(value)].Width());
  }

  void Place(int value, const Uses& uses, int operation) {
    const int residual = uses.residual;
    if (residual >= 0 && value == uses.writes.front() && last_use_[static_cast<size_t>(residual)] == operation) {
      return Take(value, plan_.slot[static_cast<size_t>(residual)]);
    }
    if (free_.empty()) free_.push_back(NewSlot());
    // The widest: a slot grows to the width of its widest value.
    const auto widest = std::max_element(free_.begin(), free_.end(), [&](int a, int b) {
      return plan_.columns[static_cast<size_t>(a)] < plan_.columns[static_cast<size_t>(b)];
    });
    const int slot = *widest;
    free_.erase(widest);
    Take(value, slot);
  }

  // Slots of the values that this operation used last, unless a later value has taken the place.
  void Release(int operation) {
    for (size_t v = 0; v < last_use_.size(); ++v) {
      const int slot = plan_.slot[v];
      if (last_use_[v] != operation || slot <= ValuePlan::kEntering) continue;
      bool taken = false;
      for (size_t other = 0; other < last_use_.size(); ++other) {
        taken = taken || (other != v && plan_.slot[other] == slot && last_use_[other] > operation);
      }
      if (!taken) free_.push_back(slot);
    }
  }

  const BlockProgram& program_;
  std::vector<Uses> uses_;
  std::vector<int> last_use_;
  std::vector<int> free_;
  ValuePlan plan_;
};

}  // namespace

ValuePlan PlanValues(const BlockProgram& program) { return Planner(program).Plan(); }

int64_t BackwardRowBytes(const BlockProgram& program) {
  int64_t sum = 0;
  for (const ValueSpec& value : program.values) sum += 2 * value.Width();
  return sum * static_cast<int64_t>(sizeof(float));
}

}  // namespace bitwright::worker
