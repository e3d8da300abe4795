#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/normalizer.h"

namespace bitwright::worker {

// One entry of added_tokens. The flags are the file's.
struct AddedToken {
  int32_t id = 0;
  std::string content;       // not empty
  bool single_word = false;  // matches only where no letter or digit touches it
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space behind it
  bool normalized = false;   // is matched in the normalized text, by its own normalized form
  bool special = false;      // left out by Decode on request
};

inline constexpr size_t kMaxAddedTokenBytes = 1024;  // matching costs at most this much for each byte of text

// Finds added tokens in a text: at each place the longest one, from left to right. Immutable, thread-safe.
class AddedTokenMatcher {
 public:
  // A stretch of the text: an added token, or (id < 0) what lies between.
  struct Piece {
    int32_t id;
    std::string_view text;
  };

  // Tokens of which `normalized` is as given; each matches its `content`. TOKENIZER_INVALID: two have one content.
  static absl::StatusOr<AddedTokenMatcher> Create(std::span<const AddedToken> tokens, bool normalized);

  AddedTokenMatcher(AddedTokenMatcher&&) noexcept;
  ~AddedTokenMatcher();

  // Cuts `text` into pieces, none empty. As in the reference library, a token that is itself white space vanishes where
  // the one before it has taken all of it (rstrip) and it strips too (lstrip).
  std::vector<Piece> Cut(std::string_view text) const;

 private:
  struct Trie;
  explicit AddedTokenMatcher(std::unique_ptr<const Trie> trie);
  std::unique_ptr<const Trie> trie_;
};

}  // namespace bitwright::worker
