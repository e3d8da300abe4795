#pragma once

#include <cstdint>
#include <span>

namespace bitwright::worker {

// Codes i8 [rows, columns] of `bits` bits to and from u32 [rows, words], words = PackedWords, as weight_packed of
// compressed-tensors `pack-quantized` has them (0.20; older versions differ for 3, 5, 6 and 7 bits). Layout of a row:
// one dense little-endian bit stream along the columns; element i occupies bits [i·bits, (i+1)·bits), lowest first, and
// holds code + 2^(bits−1); it may cross a word. Unused bits of the last word are zero. Sizes of the spans must fit
// exactly. Thread-safe.

// 32-bit words of a packed row; the last one is padded with zero bits.
constexpr int64_t PackedWords(int bits, int64_t columns) { return (columns * bits + 31) / 32; }

// Codes must lie within [−2^(bits−1), 2^(bits−1) − 1].
void PackCodes(int bits, int64_t rows, int64_t columns, std::span<const int8_t> codes, std::span<uint32_t> packed);

void UnpackCodes(int bits, int64_t rows, int64_t columns, std::span<const uint32_t> packed, std::span<int8_t> codes);

}  // namespace bitwright::worker
