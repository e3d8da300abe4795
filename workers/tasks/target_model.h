#pragma once

#include "absl/status/statusor.h"
#include "workers/checkpoint/model_files.h"
#include "workers/targets/target.h"

namespace bitwright::worker {

// A model as targets look at it, from its files; it keeps a reference to info. TASK_INPUT_MISSING: config.json, or one
// of info.carried_files, is not among them. Errors of ReadFile.
absl::StatusOr<TargetModel> ReadTargetModel(const ModelFiles& files, const v1::ModelInfo& info,
                                            const std::string& name);

}  // namespace bitwright::worker
