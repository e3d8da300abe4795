#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/pattern.h"

namespace bitwright::worker {

enum class SplitBehavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

// One pre-tokenizer of the file; `field` is its path, for errors.
struct PreTokenizerStep {
  enum class Kind { kByteLevel, kSplit, kDigits };
  Kind kind = Kind::kByteLevel;
  std::string field;
  // kByteLevel: puts a space before a piece that has none, cuts by GPT-2's expression, writes bytes as characters.
  bool add_prefix_space = false;
  bool use_regex = true;
  // kSplit
  std::string pattern;
  bool is_regex = true;
  bool invert = false;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  // kDigits: cuts numeric characters (N) off, each alone or runs together.
  bool individual_digits = false;
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

  // `text` is well-formed UTF-8 and must outlive the result. TOKENIZER_PATTERN_LIMIT.
  absl::StatusOr<Pieces> Cut(std::string_view text, PatternBudget& budget) const;

  // The last step is ByteLevel. Cut then leaves its writing of bytes as characters to the model: pieces are raw bytes.
  bool ends_in_bytes() const { return ends_in_bytes_; }

 private:
  struct Step {
    PreTokenizerStep config;
    std::unique_ptr<const Pattern> pattern;  // none: does not cut
  };
  PreTokenizer() = default;
  static absl::StatusOr<Step> MakeStep(PreTokenizerStep config);

  std::vector<Step> steps_;
  bool ends_in_bytes_ = false;
};

}  // namespace bitwright::worker
