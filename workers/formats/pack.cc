#include "workers/formats/pack.h"

#include "proto/base/log.h"

namespace bitwright::worker {
namespace {

void CheckSizes(IntFormat format, int64_t out, int64_t in, size_t codes, size_t packed) {
  CHECK(codes == static_cast<size_t>(out * in) && packed == static_cast<size_t>(out * format.WordsPerRow(in)))
      << FormatName(format) << " [" << out << ", " << in << "]: " << codes << " codes, " << packed << " words";
}

}  // namespace

void PackCodes(IntFormat format, int64_t out, int64_t in, std::span<const int8_t> codes, std::span<uint32_t> packed) {
  CheckSizes(format, out, in, codes.size(), packed.size());
  const int8_t* code = codes.data();
  uint32_t* word = packed.data();
  for (int64_t row = 0; row < out; ++row) {
    uint64_t pending = 0;  // bits not yet written, lowest first; at most 31 + 8 of them
    int count = 0;
    for (int64_t i = 0; i < in; ++i) {
      pending |= static_cast<uint64_t>(*code++ - format.MinCode()) << count;
      count += format.bits;
      if (count >= 32) {
        *word++ = static_cast<uint32_t>(pending);
        pending >>= 32;
        count -= 32;
      }
    }
    if (count > 0) *word++ = static_cast<uint32_t>(pending);
  }
}

void UnpackCodes(IntFormat format, int64_t out, int64_t in, std::span<const uint32_t> packed, std::span<int8_t> codes) {
  CheckSizes(format, out, in, codes.size(), packed.size());
  const uint32_t mask = (1u << format.bits) - 1;
  const uint32_t* word = packed.data();
  int8_t* code = codes.data();
  for (int64_t row = 0; row < out; ++row) {
    uint64_t pending = 0;  // bits read and not yet used
    int count = 0;
    for (int64_t i = 0; i < in; ++i) {
      if (count < format.bits) {
        pending |= static_cast<uint64_t>(*word++) << count;
        count += 32;
      }
      *code++ = static_cast<int8_t>(static_cast<int>(pending & mask) + format.MinCode());
      pending >>= format.bits;
      count -= format.bits;
    }
  }
}

}  // namespace bitwright::worker
