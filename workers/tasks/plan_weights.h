#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "workers/model/weights.h"
#include "workers/quantize/packed_unit.h"
#include "workers/tasks/task_io.h"

namespace bitwright::worker {

// The weights that a task runs a model with: those of a plan, or the model's own. Immutable, not thread-safe.
class PlanWeights {
 public:
  // `quantized`: of the inputs "weights/{i}". Keeps a reference to the device. Errors of PackedUnits.
  static absl::StatusOr<std::unique_ptr<const PlanWeights>> Open(bool quantized, const Model& model, const TaskIo& io);

  // For BlockRunner; null: the model's own.
  const UnitSource& units() const { return units_; }
  // Where the plan stores them in formats of their own; otherwise null.
  const TableSource* embedding() const { return embedding_ ? &*embedding_ : nullptr; }
  const TableSource* head() const { return head_ ? &*head_ : nullptr; }

 private:
  explicit PlanWeights(PackedUnits packed) : packed_(std::move(packed)) {}

  const PackedUnits packed_;
  UnitSource units_;
  std::optional<TableSource> embedding_, head_;
};

}  // namespace bitwright::worker
