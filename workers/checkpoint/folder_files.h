#pragma once

#include "proto/inputs/model_folder.h"
#include "workers/checkpoint/model_files.h"

namespace bitwright::worker {

// The files of a model as a folder that can be sorted and recognized. Reads from `files`, which it copies.
ModelFolder FolderOf(const ModelFiles& files);

}  // namespace bitwright::worker
