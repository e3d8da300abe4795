#pragma once

#include "workers/families/family.h"

namespace bitwright::worker {

// The entries of the table of families; each stands where it is read.
extern const Family kLlama, kMistral, kQwen2, kQwen3, kPhi3, kGranite, kOlmo2, kStableLm;  // llama.cc
extern const Family kGemma, kGemma2, kGemma3;                                              // gemma.cc
extern const Family kMixtral, kQwen2Moe, kQwen3Moe;                                        // experts.cc
extern const Family kGpt2, kOpt, kGptNeoX;                                                 // gpt.cc

}  // namespace bitwright::worker
