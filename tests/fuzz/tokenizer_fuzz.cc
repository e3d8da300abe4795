#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "workers/tokenizer/tokenizer.h"

// Input: a tokenizer.json, a zero byte, a text. Whatever loads must encode any text to known ids, or say why not.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = input.find('\0');
  const std::string_view text = zero == std::string_view::npos ? "hello 12 <|end|>\n" : input.substr(zero + 1);
  const auto tokenizer = bitwright::worker::Tokenizer::Load(input.substr(0, zero));
  if (!tokenizer.ok()) return 0;
  const auto ids = (*tokenizer)->Encode(text, true);
  if (!ids.ok()) return 0;
  for (int32_t id : *ids) {
    if (id < 0 || id >= (*tokenizer)->vocab_size()) std::abort();
  }
  if (!(*tokenizer)->Decode(*ids, false).ok()) std::abort();
  return 0;
}
