#pragma once

#include "workers/targets/target.h"

namespace bitwright::worker {

// "gptq": a Hugging Face folder in GPTQ's first checkpoint format, as AutoGPTQ, GPTQModel and vLLM read it. Of each
// linear [out, in], in groups of `size` inputs (one group where it is the whole row):
//   qweight  i32 [in · bits / 32, out]     codes + 2^(bits−1), one dense stream down each column, lowest bit first
//   qzeros   i32 [groups, out · bits / 32] 2^(bits−1) − 1 along each row: the zero point less one
//   scales   f16 [groups, out]
//   g_idx    i32 [in]                      the group of each input
// quantization_config has the format that most weights have, and `dynamic` rules for all other units: patterns for the
// names of linears, and for the name under which vLLM fuses them.
const Target& Gptq();

}  // namespace bitwright::worker
