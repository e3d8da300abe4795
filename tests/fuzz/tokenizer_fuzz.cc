#include <cstdint>
#include <string_view>

#include "tests/fuzz/tokenizer_check.h"

// Input: a tokenizer.json, a zero byte, a text. Whatever loads must encode any text to known ids, or say why not.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = input.find('\0');
  const std::string_view text = zero == std::string_view::npos ? "hello 12 <|end|>\n" : input.substr(zero + 1);
  const auto tokenizer = bitwright::worker::Tokenizer::Load(input.substr(0, zero));
  if (tokenizer.ok()) CheckEncodes(**tokenizer, text);
  return 0;
}
