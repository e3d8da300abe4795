#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/safetensors.h"

namespace bitwright::v1 {
class Candidate;
class CardFacts;
class ModelInfo;
class Plan;
class Selection;
}  // namespace bitwright::v1

namespace bitwright::worker {

// An artifact for the target "compressed-tensors": a Hugging Face folder in the `pack-quantized` format.
//   config.json        the model's, with quantization_config (explicit linear names), architectures, model_type and
//                      tie_word_embeddings as the artifact is, and without auto_map
//   model.safetensors  packed weights and the tensors that stay
//   plan.json          format of every unit, what was predicted and measured
//   README.md          model card
//   SHA256SUMS         of every other file, in the form that sha256sum checks
//   ModelInfo.carried_files: tokenizer, chat templates, processors, generation_config.json and licences, unchanged
// Everything here is a pure function of its arguments.

inline constexpr char kWeightsFile[] = "model.safetensors";
inline constexpr char kSumsFile[] = "SHA256SUMS";

// The text files that the artifact writes itself, but for SHA256SUMS. `selection` gives the measurements of
// `candidate`. CONFIG_INVALID when the model's config.json is not a JSON object.
absl::StatusOr<std::map<std::string, std::string>> WrittenFiles(const std::string& config_json,
                                                                const v1::ModelInfo& info, const v1::Plan& plan,
                                                                const v1::Candidate& candidate,
                                                                const v1::Selection& selection,
                                                                const v1::CardFacts& card);

// Tensors of model.safetensors in their order: by falling element size, then name, so that all lie aligned.
std::vector<TensorDeclaration> ArtifactTensors(const v1::ModelInfo& info, const v1::Plan& plan);

// "__metadata__" of model.safetensors; transformers asks for it.
std::map<std::string, std::string> ArtifactMetadata();

// Text of SHA256SUMS for files path → sha256.
std::string Sha256Sums(const std::map<std::string, std::string>& digests);

// Exact bytes of all files on disk. `copied` holds path → size of the files taken over.
absl::StatusOr<int64_t> ArtifactBytes(const std::string& config_json, const std::map<std::string, int64_t>& copied,
                                      const v1::ModelInfo& info, const v1::Plan& plan, const v1::Candidate& candidate,
                                      const v1::Selection& selection, const v1::CardFacts& card);

// The most that an artifact of this model can take beyond unit and kept tensors' bytes, whatever its plan and numbers.
absl::StatusOr<int64_t> ArtifactOverheadBound(const std::string& config_json,
                                              const std::map<std::string, int64_t>& copied, const v1::ModelInfo& info);

}  // namespace bitwright::worker
