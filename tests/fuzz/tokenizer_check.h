#pragma once

#include <cstdlib>
#include <string_view>

#include "workers/tokenizer/tokenizer.h"

// A tokenizer encodes any text to ids that it knows and can decode, or says why not.
inline void CheckEncodes(const bitwright::worker::Tokenizer& tokenizer, std::string_view text) {
  const auto ids = tokenizer.Encode(text, true);
  if (!ids.ok()) return;
  for (const int32_t id : *ids) {
    if (id < 0 || id >= tokenizer.vocab_size()) std::abort();
  }
  if (!tokenizer.Decode(*ids, false).ok()) std::abort();
}
