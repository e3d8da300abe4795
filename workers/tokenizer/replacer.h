#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "workers/tokenizer/pattern.h"

namespace bitwright::worker {

// A step Replace of a normalizer or decoder; `field` is the path of its pattern, for errors.
struct Replacement {
  std::string field;
  std::string pattern;
  bool is_regex = false;
  std::string content;  // taken as it is, without references to groups
};

// A text that a step made of another one.
struct Normalized {
  std::string text;
  // It begins with what the other one begins with: the reference library counts a place in the text from there.
  bool keeps_start = true;
};

// Puts `content` where the pattern matches. Immutable, thread-safe.
class Replacer {
 public:
  // Errors of Pattern::Compile. TOKENIZER_UNSUPPORTED: a pattern that matches nothing at all.
  static absl::StatusOr<Replacer> Create(Replacement replacement);

  // `text` is well-formed UTF-8. TOKENIZER_PATTERN_LIMIT; TEXT_TOO_LONG of PatternBudget.
  // TOKENIZER_UNSUPPORTED: the pattern matches between two characters.
  absl::StatusOr<Normalized> Apply(std::string_view text, PatternBudget& budget) const;

 private:
  explicit Replacer(Replacement replacement) : replacement_(std::move(replacement)) {}
  Replacement replacement_;
  std::unique_ptr<const Pattern> pattern_;  // none: replacement_.pattern as it stands
};

}  // namespace bitwright::worker
