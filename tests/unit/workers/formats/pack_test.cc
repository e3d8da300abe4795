#include "workers/kernels/pack_codes.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "workers/formats/int_format.h"

namespace bitwright::worker {
namespace {

// One bit at a time, straight from the definition.
std::vector<uint32_t> PackByBits(IntFormat format, int64_t out, int64_t in, const std::vector<int8_t>& codes) {
  std::vector<uint32_t> packed(static_cast<size_t>(out * format.WordsPerRow(in)));
  for (int64_t i = 0; i < out * in; ++i) {
    const int value = codes[i] + (1 << (format.bits - 1));
    for (int b = 0; b < format.bits; ++b) {
      const int64_t position = i % in * format.bits + b;
      packed[i / in * format.WordsPerRow(in) + position / 32] |= static_cast<uint32_t>(value >> b & 1)
                                                                 << (position % 32);
    }
  }
  return packed;
}

TEST(PackTest, EqualsTheDefinitionAndUnpacks) {
  std::mt19937 random(1);
  for (int bits = IntFormat::kMinBits; bits <= IntFormat::kMaxBits; ++bits) {
    for (const int64_t in : {1, 2, 31, 32, 33, 50, 96, 127}) {
      const IntFormat format{bits, IntFormat::kChannel};
      const int64_t out = 3;
      std::uniform_int_distribution<int> code(IntGrid{bits}.MinCode(), IntGrid{bits}.MaxCode());
      std::vector<int8_t> codes(static_cast<size_t>(out * in));
      for (int8_t& c : codes) c = static_cast<int8_t>(code(random));
      std::vector<uint32_t> packed(static_cast<size_t>(out * format.WordsPerRow(in)), 0xffffffffu);
      PackCodes(format.bits, out, in, codes, packed);
      EXPECT_EQ(packed, PackByBits(format, out, in, codes)) << bits << " bits, " << in << " inputs";
      std::vector<int8_t> unpacked(codes.size());
      UnpackCodes(format.bits, out, in, packed, unpacked);
      EXPECT_EQ(unpacked, codes) << bits << " bits, " << in << " inputs";
    }
  }
}

}  // namespace
}  // namespace bitwright::worker
