#pragma once

#include "workers/targets/target.h"

namespace bitwright::worker {

// "compressed-tensors": a Hugging Face folder in the `pack-quantized` format.
//   config.json        the model's, with quantization_config (explicit linear names), architectures, model_type and
//                      tie_word_embeddings as the artifact is, and without auto_map
//   model.safetensors  packed weights and the tensors that stay, unchanged; by falling element size, then name, so that
//                      all lie aligned. "__metadata__" has the format "pt", which transformers asks for
//   carried files      all: tokenizer, chat templates, processors, generation_config.json and licences
const Target& CompressedTensors();

}  // namespace bitwright::worker
