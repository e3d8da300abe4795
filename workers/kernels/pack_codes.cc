#include "workers/kernels/pack_codes.h"

#include "proto/base/log.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker {
namespace {

void CheckSizes(int bits, int64_t rows, int64_t columns, size_t codes, size_t packed) {
  CHECK(codes == static_cast<size_t>(rows * columns) &&
        packed == static_cast<size_t>(rows * PackedWords(bits, columns)))
      << bits << " bits [" << rows << ", " << columns << "]: " << codes << " codes, " << packed << " words";
}

}  // namespace

void PackCodes(int bits, int64_t rows, int64_t columns, std::span<const int8_t> codes, std::span<uint32_t> packed) {
  CheckSizes(bits, rows, columns, codes.size(), packed.size());
  const int8_t* code = codes.data();
  uint32_t* word = packed.data();
  for (int64_t row = 0; row < rows; ++row) {
    uint64_t pending = 0;  // bits not yet written, lowest first; at most 31 + 8 of them
    int count = 0;
    for (int64_t i = 0; i < columns; ++i) {
      pending |= static_cast<uint64_t>(*code++ - IntGrid{bits}.MinCode()) << count;
      count += bits;
      if (count >= 32) {
        *word++ = static_cast<uint32_t>(pending);
        pending >>= 32;
        count -= 32;
      }
    }
    if (count > 0) *word++ = static_cast<uint32_t>(pending);
  }
}

void UnpackCodes(int bits, int64_t rows, int64_t columns, std::span<const uint32_t> packed, std::span<int8_t> codes) {
  CheckSizes(bits, rows, columns, codes.size(), packed.size());
  const uint32_t mask = (1u << bits) - 1;
  const uint32_t* word = packed.data();
  int8_t* code = codes.data();
  for (int64_t row = 0; row < rows; ++row) {
    uint64_t pending = 0;  // bits read and not yet used
    int count = 0;
    for (int64_t i = 0; i < columns; ++i) {
      if (count < bits) {
        pending |= static_cast<uint64_t>(*word++) << count;
        count += 32;
      }
      *code++ = static_cast<int8_t>(static_cast<int>(pending & mask) + IntGrid{bits}.MinCode());
      pending >>= bits;
      count -= bits;
    }
  }
}

}  // namespace bitwright::worker
