#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/models.pb.h"
#include "proto/inputs/model_folder.h"

namespace bitwright {

// The form of a folder whose files are rewritten before anything computes with them, by names and config.json alone: a
// GGUF beside no safetensors, or safetensors whose quantization_config is FP8 or float-quantized. Nothing: the folder
// holds plain safetensors, or is refused (model_refusals.h).
std::optional<v1::Import> ImportFormOf(const ModelFolder& folder);

// Whether the folder's weights are a GGUF: then nothing else in it is read, not even its config.json.
bool IsGgufFolder(const ModelFolder& folder);

// Every *.gguf file at the top that may be a model: projectors ("mmproj…") and importance matrices are none.
std::vector<std::string> GgufFiles(const ModelFolder& folder);

// The names of a GGUF folder's files that are not parts of one model, for people; nothing where there is one.
std::optional<std::string> SeveralGgufs(const ModelFolder& folder);

// The files of the folder's one GGUF, in order: the only one, or all parts of a split one ("x-00001-of-00003.gguf").
// MODEL_FILE_MISSING: a part is not there. GGUF_AMBIGUOUS: several; the sentence names them.
absl::StatusOr<std::vector<std::string>> GgufParts(const ModelFolder& folder);

// All parts of the split GGUF that a file of this name is one of; the name alone where it is none.
std::vector<std::string> SplitNames(const std::string& name);

}  // namespace bitwright
