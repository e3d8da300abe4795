#pragma once

#include "workers/targets/target.h"

namespace bitwright::worker {

// "gguf": one file of GGUF version 3, as llama.cpp loads it.
//   model.gguf     units as blocks, a tensor for each linear; other matrices in the checkpoint's type, vectors as f32;
//                  metadata of the architecture and the whole tokenizer
//   carried files  licences
const Target& Gguf();

}  // namespace bitwright::worker
