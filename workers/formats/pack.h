#pragma once

#include <cstdint>
#include <span>

#include "workers/formats/int_format.h"

namespace bitwright::worker {

// Codes i8 [out, in] to and from weight_packed i32 [out, words], words = format.WordsPerRow(in), of compressed-tensors
// `pack-quantized` (0.20; older versions differ for 3, 5, 6 and 7 bits). Layout of a row: one dense little-endian bit
// stream along the input dimension; element i occupies bits [i·bits, (i+1)·bits), lowest first, and holds
// code + 2^(bits−1); it may cross a word. Unused bits of the last word are zero.
// Sizes of the spans must fit exactly. Thread-safe.

// Codes must lie within the format's range.
void PackCodes(IntFormat format, int64_t out, int64_t in, std::span<const int8_t> codes, std::span<uint32_t> packed);

void UnpackCodes(IntFormat format, int64_t out, int64_t in, std::span<const uint32_t> packed, std::span<int8_t> codes);

}  // namespace bitwright::worker
