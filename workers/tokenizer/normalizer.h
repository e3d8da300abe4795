#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/charsmap.h"
#include "workers/tokenizer/pattern.h"
#include "workers/tokenizer/replacer.h"
#include "workers/tokenizer/sentencepiece_normalizer.h"

namespace bitwright::worker {

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };
// Maps each code point alone (so a final capital sigma becomes U+03C3, as in the reference library).
struct LowercaseStep {};
// Puts a text in front of one that is not empty.
struct PrependStep {
  std::string text;
};
// Takes white space off the ends.
struct StripStep {
  bool left = false;
  bool right = false;
};
// By grapheme, or else by code point, as the reference library applies SentencePiece's table.
struct PrecompiledStep {
  std::shared_ptr<const Charsmap> charsmap;
};

using NormalizerStep =
    std::variant<UnicodeForm, LowercaseStep, PrependStep, StripStep, Replacement, PrecompiledStep, SentencePieceRules>;

// Applies its steps in order. Immutable, thread-safe.
class Normalizer {
 public:
  // Errors of Pattern::Compile.
  static absl::StatusOr<Normalizer> Create(std::vector<NormalizerStep> steps);
  Normalizer(Normalizer&&) noexcept;
  ~Normalizer();

  bool empty() const { return steps_.empty(); }

  // `text` is well-formed UTF-8, and so is the result. TEXT_TOO_LONG when a step would pass ICU's limit of 2 GiB or
  // the budget; TOKENIZER_PATTERN_LIMIT.
  absl::StatusOr<Normalized> Normalize(std::string_view text, PatternBudget& budget) const;

 private:
  class Step;
  explicit Normalizer(std::vector<std::unique_ptr<const Step>> steps);
  std::vector<std::unique_ptr<const Step>> steps_;
};

}  // namespace bitwright::worker
