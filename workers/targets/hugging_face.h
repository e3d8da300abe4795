#pragma once

#include <map>
#include <string>
#include <vector>

#include "workers/checkpoint/safetensors.h"
#include "workers/targets/target.h"

namespace bitwright::worker {

// Targets that are Hugging Face folders, in the checkpoint's names and layout.
//   config.json        the model's, with the target's quantization_config (none where nothing is quantized),
//                      architectures, model_type and tie_word_embeddings as the artifact is, and without auto_map
//   model.safetensors  the units' tensors and those that stay, unchanged; by falling element size, then name, so that
//                      all lie aligned. "__metadata__" has the format "pt", which transformers asks for
//   carried files      all: tokenizer, chat templates, processors, generation_config.json and licences
class HuggingFaceTarget : public Target {
 public:
  std::string_view weights_file() const override;
  bool stores_ends() const override { return false; }
  double rounding_passes() const override { return 12; }  // as of gguf.cc
  double pricing_passes() const override { return 1; }
  bool rounding_moment() const override { return true; }
  absl::Status Check(const TargetModel& model) const override;
  int64_t KeptBytes(const v1::ModelInfo_KeptTensor& tensor) const override;
  bool Carries(const std::string&) const override { return true; }
  absl::StatusOr<std::map<std::string, std::string>> OwnFiles(const TargetModel& model,
                                                              const v1::Plan& plan) const override;
  absl::StatusOr<SizeParts> WeightsSize(const TargetModel& model, const v1::Plan& plan) const override;
  int64_t SlackBytes(const v1::ModelInfo& info, const v1::Plan& plan) const override;
  absl::Status WriteWeights(const std::string& path, const TargetModel& model, const v1::Plan& plan,
                            const WeightSources& from, const std::function<void(double)>& progress) const override;

 private:
  // What a linear takes of the file beyond LinearBytes: entries of its header, but for offsets, and what all formats
  // store alike.
  int64_t OverheadOf(const Format& format, const LinearShape& linear, int64_t name_bytes, DType type) const;

 protected:
  // JSON text; empty: nothing is quantized.
  virtual std::string QuantizationConfig(const v1::ModelInfo& info, const v1::Plan& plan) const = 0;
  // The tensors of a linear in one of the target's formats, of a model whose weights have `type`.
  virtual std::vector<StoredTensor> Tensors(const Format& format, int64_t out, int64_t in, DType type) const = 0;
  // Appends one of them, of the linear `name`. TASK_INPUT_DAMAGED.
  virtual absl::Status Append(const std::string& name, const Format& format, const StoredTensor& tensor,
                              const PackedUnits& packed, SafetensorsWriter& writer) const = 0;
};

// Appends a tensor of packed units under its own name, which must have `bytes`. TASK_INPUT_DAMAGED.
absl::Status AppendPacked(const std::string& tensor, int64_t bytes, const PackedUnits& packed,
                          SafetensorsWriter& writer);

}  // namespace bitwright::worker
