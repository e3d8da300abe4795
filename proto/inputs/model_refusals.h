#pragma once

#include "absl/status/status.h"
#include "proto/inputs/model_folder.h"

namespace bitwright {

// OK for a folder that may be a model we quantize. Otherwise says what the folder is, by the first row of one table of
// patterns (names, fields of config.json, first bytes) that fits it: an adapter without its base, a quantized
// checkpoint, a git-lfs pointer in place of a file, a GGUF, a diffusion pipeline, an encoder … Each row has a reason of
// its own and the remedy. Called before an upload and by the inspection of what was uploaded; what only tensors show is
// the inspection's alone.
absl::Status CheckModelFolder(const ModelFolder& folder);

}  // namespace bitwright
