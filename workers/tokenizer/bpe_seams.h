#pragma once

#include <cstdint>
#include <string_view>

#include "absl/container/flat_hash_set.h"

namespace bitwright::worker {

// Where a piece of text can be cut without any change of its ids: between two characters that stand side by side in no
// token, since no merge can then join across. Cuts a text that no pre-tokenizer cuts into words, so that they
// can be remembered, and so that memory does not follow the text.
class BpeSeams {
 public:
  // Of what a merge gives; well-formed UTF-8 or not, as a file may have it.
  void AddWhole(std::string_view whole);

  // Whether two neighbours, both in the vocabulary, can be cut. Other characters cannot: they become tokens of another
  // text, which merges may take up.
  bool Between(int32_t left, int32_t right) const { return !joined_.contains(Key(left, right)); }

 private:
  static uint64_t Key(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  absl::flat_hash_set<uint64_t> joined_;  // code points
};

}  // namespace bitwright::worker
