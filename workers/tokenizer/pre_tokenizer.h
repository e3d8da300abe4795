#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/pattern.h"
#include "workers/tokenizer/replacer.h"

namespace bitwright::worker {

enum class SplitBehavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

enum class PrependScheme { kNever, kFirst, kAlways };

// One pre-tokenizer of the file; `field` is its path, for errors.
struct PreTokenizerStep {
  enum class Kind { kByteLevel, kSplit, kDigits, kMetaspace };
  Kind kind = Kind::kByteLevel;
  std::string field;
  // kByteLevel: puts a space before a piece that has none, cuts by GPT-2's expression, writes bytes as characters.
  bool add_prefix_space = false;
  bool use_regex = true;
  // kSplit; kMetaspace: one character, which spaces become
  std::string pattern;
  bool is_regex = true;
  bool invert = false;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  // kDigits: cuts numeric characters (N) off, each alone or runs together.
  bool individual_digits = false;
  // kMetaspace: puts `pattern` before a piece that has none (kFirst: only before the text's first), and cuts before
  // each.
  PrependScheme prepend_scheme = PrependScheme::kAlways;
  bool cuts = true;
};

// Pieces of a text, never empty, in order; views into the text or into `owned`.
struct Pieces {
  std::vector<std::string_view> texts;
  std::deque<std::string> owned;
};

// Immutable, thread-safe.
class PreTokenizer {
 public:
  // Errors of Pattern::Compile.
  static absl::StatusOr<PreTokenizer> Create(std::vector<PreTokenizerStep> steps);

  // `text` is well-formed UTF-8 and must outlive the result; `is_first`: the whole text begins with it.
  // TOKENIZER_PATTERN_LIMIT, TEXT_TOO_LONG.
  absl::StatusOr<Pieces> Cut(std::string_view text, bool is_first, PatternBudget& budget) const;

  // The last step is ByteLevel. Cut then leaves its writing of bytes as characters to the model: pieces are raw bytes.
  bool ends_in_bytes() const { return ends_in_bytes_; }

 private:
  struct Step {
    PreTokenizerStep config;
    std::unique_ptr<const Pattern> pattern;     // none: does not cut
    std::unique_ptr<const Replacer> metaspace;  // kMetaspace: of spaces
  };
  PreTokenizer() = default;
  // The piece with what the step puts in and before it.
  static absl::StatusOr<std::string_view> Prepared(const Step& step, std::string_view piece, bool is_first,
                                                   Pieces& pieces, PatternBudget& budget);
  static absl::StatusOr<Step> MakeStep(PreTokenizerStep config);

  std::vector<Step> steps_;
  bool ends_in_bytes_ = false;
};

}  // namespace bitwright::worker
