#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
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

// Immutable, thread-safe.
class PreTokenizer {
 public:
  // Errors of Pattern::Compile.
  static absl::StatusOr<PreTokenizer> Create(std::vector<PreTokenizerStep> steps);

  // Gets the pieces of a text in order, each for the time of the call; none is empty. Its error ends the cutting.
  using Sink = absl::FunctionRef<absl::Status(std::string_view piece)>;
  // `text` is well-formed UTF-8; `is_first`: the whole text begins with it. Each piece goes through all steps before
  // the next is cut off, so that memory does not grow with their number. TOKENIZER_PATTERN_LIMIT, TEXT_TOO_LONG.
  absl::Status Cut(std::string_view text, bool is_first, PatternBudget& budget, Sink sink) const;

  // The last step is ByteLevel. Cut then leaves its writing of bytes as characters to the model: pieces are raw bytes.
  bool ends_in_bytes() const { return ends_in_bytes_; }

 private:
  struct Step {
    PreTokenizerStep config;
    std::unique_ptr<const Pattern> pattern;     // none: does not cut
    std::unique_ptr<const Replacer> metaspace;  // kMetaspace: of spaces
  };
  PreTokenizer() = default;
  // The piece with what the step puts in and before it: `piece` itself, or in `changed`.
  static absl::StatusOr<std::string_view> Prepared(const Step& step, std::string_view piece, bool is_first,
                                                   PatternBudget& budget, std::string& changed);
  // Takes a piece, which is not empty, through the steps from number `index` on.
  absl::Status CutFrom(size_t index, std::string_view piece, bool is_first, PatternBudget& budget, Sink sink) const;
  static absl::StatusOr<Step> MakeStep(PreTokenizerStep config);

  std::vector<Step> steps_;
  bool ends_in_bytes_ = false;
};

}  // namespace bitwright::worker
