#pragma once

#include <vector>

#include "workers/model/weights.h"

namespace bitwright::worker {

// The token embedding or the output head, [vocab, hidden], as a unit that a target may store; both where they are one
// tensor.
struct EndUnit {
  UnitSpec unit;
  bool embeds = false;
  bool heads = false;
};

// The embedding, then the head; one where they are tied. Each unit has one linear, named after its tensor.
std::vector<EndUnit> EndUnits(const Model& model);

// Rows [first, first + to.rows) of an end as the checkpoint has them, f32.
void LoadEndRows(const Model& model, const EndUnit& end, int64_t first, Device& device, const Matrix& to);

}  // namespace bitwright::worker
