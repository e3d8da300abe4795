#include <algorithm>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/tokenizer_check.h"

// Input: a byte that is the length of a text, the text, a tokenizer.model. Whatever loads must encode any text to known
// ids, or say why not.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const size_t length = std::min<size_t>(static_cast<uint8_t>(input.front()), input.size() - 1);
  const std::string_view text = input.substr(1, length);
  const auto tokenizer = bitwright::worker::Tokenizer::LoadSentencePiece(input.substr(1 + length));
  if (tokenizer.ok()) CheckEncodes(**tokenizer, text);
  return 0;
}
