#pragma once

#include "absl/status/status.h"
#include "bitwright/v1/tasks.pb.h"
#include "workers/families/config.h"

namespace bitwright::worker {

// What a spec says, before anything is read: whoever wrote it is not trusted. Every number lies within what the task's
// loops and sizes can bear, every enumeration is known, and the inputs are those of the kind (spec_inputs.h).
// INVALID_ARGUMENT, reason TASK_SPEC_INVALID (names field, value and limit), TASK_INPUT_MISSING or TASK_KIND_UNKNOWN.
absl::Status CheckSpec(const v1::TaskSpec& spec);

// What a spec that CheckSpec accepts says of a model: blocks that it has, windows within its positions, formats that
// its widths allow. TASK_SPEC_INVALID.
absl::Status CheckSpecFits(const v1::TaskSpec& spec, const ModelConfig& config);

}  // namespace bitwright::worker
