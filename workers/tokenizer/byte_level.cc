#include "workers/tokenizer/byte_level.h"

#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

constexpr int kFirstStandIn = 0x100;
constexpr int kStandIns = 68;

constexpr bool StandsForItself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<std::string, 256> chars;
  std::array<int, kFirstStandIn + kStandIns> bytes;  // by code point; -1: not in the alphabet

  Alphabet() {
    bytes.fill(-1);
    int next = kFirstStandIn;
    for (int byte = 0; byte < 256; ++byte) {
      const int code_point = StandsForItself(byte) ? byte : next++;
      AppendCodePoint(code_point, chars[byte]);
      bytes[code_point] = byte;
    }
  }
};

const Alphabet& TheAlphabet() {
  static const Alphabet alphabet;
  return alphabet;
}

}  // namespace

const std::string& CharOfByte(uint8_t byte) { return TheAlphabet().chars[byte]; }

std::string CharsOfBytes(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char byte : bytes) out += CharOfByte(static_cast<uint8_t>(byte));
  return out;
}

std::optional<std::string> BytesOfChars(std::string_view chars) {
  const auto& bytes = TheAlphabet().bytes;
  std::string out;
  out.reserve(chars.size());
  while (!chars.empty()) {
    const int32_t code_point = FirstCodePoint(chars);
    if (code_point < 0 || code_point >= static_cast<int32_t>(bytes.size()) || bytes[code_point] < 0) {
      return std::nullopt;
    }
    out += static_cast<char>(bytes[code_point]);
    chars.remove_prefix(CodePointBytes(chars.front()));
  }
  return out;
}

}  // namespace bitwright::worker
