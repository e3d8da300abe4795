#pragma once

#include <vector>

#include "workers/families/program.h"

namespace bitwright::worker {

// Where the values of a program lie while it runs forward: values that are not needed at the same time share a slot.
// A value that is its residual plus something takes the residual's place where nothing else reads that any more. Pure.
struct ValuePlan {
  static constexpr int kEntering = 0;  // the slot of the stream that enters, which belongs to the caller

  std::vector<int> slot;         // of each value
  std::vector<int64_t> columns;  // of each slot, the most that any of its values has
  bool output_in_place = false;  // the result stands in slot kEntering

  // Floats that the slots but the caller's take for one row.
  int64_t RowFloats() const {
    int64_t sum = 0;
    for (size_t i = 1; i < columns.size(); ++i) sum += columns[i];
    return sum;
  }
};

ValuePlan PlanValues(const BlockProgram& program);

}  // namespace bitwright::worker
