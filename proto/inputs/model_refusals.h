#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "proto/inputs/model_folder.h"

namespace bitwright {

// OK for a folder that may be a model we quantize. Otherwise says what the folder is, by the first row of one table of
// patterns (names, fields of config.json, first bytes) that fits it: an adapter without its base, a quantized
// checkpoint, a git-lfs pointer in place of a file, a GGUF, a diffusion pipeline, an encoder … Each row has a reason of
// its own and the remedy; MODEL_FILE_MISSING where config.json is. A single file that a person gave is a folder with
// this one path. Called before an upload and by the inspection of what was uploaded.
absl::Status CheckModelFolder(const ModelFolder& folder);

// The same table over what only the inspection sees: the names of all tensors. Reason WEIGHTS_PREFIXED: they are those
// of a wrapper around the model.
absl::Status CheckTensorNames(const std::vector<std::string>& names);

// The reason of every row, in order.
std::vector<std::string_view> RefusalReasons();

}  // namespace bitwright
