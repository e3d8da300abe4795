#pragma once

#include <cstdint>
#include <span>

#include "workers/formats/block_type.h"

namespace bitwright::worker {

// The values of a row of blocks, as a consumer of GGUF computes them: equal to ggml's in every bit, the sign of zero
// included (ggml-org/ggml, src/ggml-quants.c, dequantize_row_*). Products are taken in f32 and in its order: d times
// the small scale of a group, that times the number of a code, and then minus m times the small minimum. `blocks` has
// RowBytes of values.size(), which fits the type (BlockSpec::Fits). Every pattern of bits has values; they are not
// finite where a stored f16 is not. Thread-safe.
void DecodeBlocks(BlockType type, std::span<const uint8_t> blocks, std::span<float> values);

}  // namespace bitwright::worker
