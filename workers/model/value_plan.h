#pragma once

#include <vector>

#include "workers/families/program.h"

namespace bitwright::worker {

// Where the values of a program lie while it runs forward: values that are not needed at the same time share a slot.
// A value that is its residual plus something takes the residual's place where nothing else reads that any more. Pure.
struct ValuePlan {
  static constexpr int kEntering = 0;  // the slot of the stream that enters, which belongs to the caller

  std::vector<int> slot;         // of each value
  std::vector<int64_t> columns;  // of each slot, the greatest width of its values
  bool output_in_place = false;  // the result stands in slot kEntering

  // What the slots but the caller's take for one row in f32.
  int64_t RowBytes() const {
    int64_t sum = 0;
    for (size_t i = 1; i < columns.size(); ++i) sum += columns[i];
    return sum * static_cast<int64_t>(sizeof(float));
  }
};

ValuePlan PlanValues(const BlockProgram& program);

// What all values and their gradients take for one row in f32: on the way back each has memory of its own.
int64_t BackwardRowBytes(const BlockProgram& program);

}  // namespace bitwright::worker
