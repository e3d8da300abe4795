#include "workers/model/unit_inputs.h"

namespace bitwright::worker {

std::vector<Part> UnitInputs(const BlockProgram& program) {
  std::vector<Part> inputs(program.units.size());
  const auto at = [&](int unit) -> Part& { return inputs[static_cast<size_t>(unit)]; };
  const auto whole = [&](int value) { return Part{value, 0, program.values[static_cast<size_t>(value)].columns}; };
  for (const Operation& operation : program.operations) {
    if (const auto* linear = std::get_if<LinearOp>(&operation)) {
      if (static_cast<size_t>(linear->matrix) < inputs.size()) at(linear->matrix) = linear->in;
    } else if (const auto* experts = std::get_if<ExpertsOp>(&operation)) {
      at(experts->gate_up) = whole(experts->rows);
      at(experts->down) = whole(experts->inner_rows);
    }
  }
  return inputs;
}

}  // namespace bitwright::worker
