#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/inputs/model_folder.h"
#include "workers/checkpoint/model_files.h"

namespace bitwright::worker {

// A file that is read whole, mapped; `name` within the model. Errors of MappedFile; TASK_SPEC_INVALID: only pieces of
// it are here.
absl::StatusOr<std::shared_ptr<const MappedFile>> MapWhole(const ModelFile& file, std::string_view name);

// The files of a model as a folder that can be sorted and recognized. Reads from `files`, which it copies.
ModelFolder FolderOf(const ModelFiles& files);

}  // namespace bitwright::worker
