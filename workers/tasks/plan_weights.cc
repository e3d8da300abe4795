#include "workers/tasks/plan_weights.h"

#include <string>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/model/ends.h"

namespace bitwright::worker {

absl::StatusOr<std::unique_ptr<const PlanWeights>> PlanWeights::Open(bool quantized, const Model& model,
                                                                     const TaskIo& io) {
  std::vector<std::string> paths;
  if (quantized) {
    ABSL_ASSIGN_OR_RETURN(paths, io.InputPaths(NumberedPrefix(TaskFile::kWeights)));
  }
  ABSL_ASSIGN_OR_RETURN(PackedUnits packed, PackedUnits::Open(paths));
  std::unique_ptr<PlanWeights> weights(new PlanWeights(std::move(packed)));
  if (!quantized) return weights;
  Device& device = io.device();
  weights->units_ = [&packed = weights->packed_, &device](const UnitSpec& unit, const Matrix& weight) {
    return packed.Dequantize(unit, device, weight);
  };
  for (const EndUnit& end : EndUnits(model)) {
    ABSL_ASSIGN_OR_RETURN(const std::optional<TableSource> table, weights->packed_.Table(end.unit, device));
    if (end.embeds) weights->embedding_ = table;
    if (end.heads) weights->head_ = table;
  }
  return weights;
}

}  // namespace bitwright::worker
