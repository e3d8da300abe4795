#include "workers/tokenizer/bpe_seams.h"

#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {

void BpeSeams::AddWhole(std::string_view whole) {
  int32_t left = -1;
  while (!whole.empty()) {
    const int32_t right = FirstCodePoint(whole);
    if (left >= 0) joined_.insert(Key(left, right));
    left = right;
    whole.remove_prefix(CodePointBytes(whole.front()));
  }
}

}  // namespace bitwright::worker
