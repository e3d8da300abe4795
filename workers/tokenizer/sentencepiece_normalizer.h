#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/charsmap.h"
#include "workers/tokenizer/pattern.h"

namespace bitwright::worker {

class ByteTrie;

// The character that stands for a space inside pieces: U+2581.
inline constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";

// normalizer_spec of a tokenizer.model.
struct SentencePieceRules {
  std::shared_ptr<const Charsmap> charsmap;  // none: characters stay
  std::vector<std::string> kept;             // pieces of the user, which it leaves alone
  bool add_dummy_prefix = true;              // a space in front of the text
  bool remove_extra_whitespaces = true;      // none around the text, one between words
  bool escape_whitespaces = true;            // written as kSpaceSymbol
};

// What SentencePiece makes of a text before it looks for pieces. `text` is well-formed UTF-8, and so is the result.
// Immutable, thread-safe.
class SentencePieceNormalizer {
 public:
  explicit SentencePieceNormalizer(SentencePieceRules rules);
  absl::StatusOr<std::string> Apply(std::string_view text, const PatternBudget& budget) const;  // TEXT_TOO_LONG

 private:
  struct Prefix {
    std::string_view becomes;
    size_t length;  // of text
  };
  Prefix NextOf(std::string_view text) const;
  SentencePieceRules rules_;
  std::shared_ptr<const ByteTrie> kept_;
};

}  // namespace bitwright::worker
