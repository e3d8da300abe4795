#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright::worker {

// Half-open range of bytes.
struct ByteRange {
  size_t begin = 0;
  size_t end = 0;
};

// Bounds what one Encode may spend on patterns and on steps that lengthen the text, and holds the matcher's memory. One
// per call, one thread at a time.
//
// Cost is counted, not timed, so that a limit is hit at the same place on every machine: each item of the pattern that
// is tried costs 1 plus the bytes between it and the item before. English under the pattern of Llama 3 costs 4 a byte.
class PatternBudget {
 public:
  explicit PatternBudget(int64_t text_bytes);
  ~PatternBudget();
  PatternBudget(const PatternBudget&) = delete;
  PatternBudget& operator=(const PatternBudget&) = delete;

  static constexpr int64_t kBaseCost = 10'000'000;
  static constexpr int64_t kCostPerByte = 200;

  // TEXT_TOO_LONG: a step made more of the text than any honest normalizer does, which is 18 times its bytes.
  absl::Status CheckNormalized(int64_t bytes) const;
  static constexpr int64_t kBaseNormalizedBytes = 16 << 20;
  static constexpr int64_t kNormalizedBytesPerByte = 20;

 private:
  friend class Pattern;
  struct Machine;
  std::unique_ptr<Machine> machine_;
  int64_t most_normalized_;
};

// A compiled regular expression of a tokenizer. Both the pattern and the texts are hostile: matching stops at the
// budget (and at limits on stack and heap) with TOKENIZER_PATTERN_LIMIT. Thread-safe.
class Pattern {
 public:
  // `field` is where the pattern stands, for errors: TOKENIZER_PATTERN_INVALID, or TOKENIZER_UNSUPPORTED for constructs
  // that TranslatePattern refuses.
  static absl::StatusOr<Pattern> Compile(std::string_view field, std::string_view regex);
  static absl::StatusOr<Pattern> CompileLiteral(std::string_view field, std::string_view literal);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // All matches from left to right, without overlap. An empty match directly behind another match does not count.
  // `text` is well-formed UTF-8.
  absl::StatusOr<std::vector<ByteRange>> FindAll(std::string_view text, PatternBudget& budget) const;
  // The same, one after the other. `each` may match with this budget itself; its error ends the search.
  absl::Status ForEachMatch(std::string_view text, PatternBudget& budget,
                            absl::FunctionRef<absl::Status(ByteRange)> each) const;

 private:
  struct Code;
  explicit Pattern(std::unique_ptr<const Code> code);
  static absl::StatusOr<Pattern> CompileWith(std::string_view field, std::string_view shown, std::string_view pattern,
                                             uint32_t options);
  std::unique_ptr<const Code> code_;
};

// Whether \p{name} exists in PCRE2.
bool IsPropertyName(const std::string& name);

}  // namespace bitwright::worker
