#include "workers/tokenizer/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/pattern_syntax.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

constexpr size_t kMaxPatternBytes = 64 << 10;
constexpr uint32_t kMaxNestedGroups = 100;
// The counted budget ends a match long before these; they hold in the interpreter, should JIT memory be refused.
constexpr uint32_t kMatchLimit = 1'000'000'000;
constexpr uint32_t kDepthLimit = 1'000'000;
constexpr uint32_t kHeapLimitKib = 256 << 10;
constexpr size_t kJitStackBytes = 32 << 10;
constexpr size_t kMaxJitStackBytes = 16 << 20;

struct CodeDeleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct CompileContextDeleter {
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};
using CodePointer = std::unique_ptr<pcre2_code, CodeDeleter>;

PCRE2_SPTR Units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::string Message(int error) {
  char buffer[256] = {};
  pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(buffer), sizeof(buffer));
  return buffer;
}

}  // namespace

struct PatternBudget::Machine {
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = pcre2_jit_stack_create(kJitStackBytes, kMaxJitStackBytes, nullptr);
  pcre2_match_data* match = pcre2_match_data_create(1, nullptr);
  int64_t left = 0;
  size_t last_position = 0;

  // Patterns are compiled with a callout before every item, see PatternBudget.
  static int Charge(pcre2_callout_block* block, void* data) {
    auto& machine = *static_cast<Machine*>(data);
    const size_t position = block->current_position;
    const size_t last = machine.last_position;
    machine.left -= 1 + static_cast<int64_t>(position > last ? position - last : last - position);
    machine.last_position = position;
    return machine.left < 0 ? PCRE2_ERROR_CALLOUT : 0;
  }

  explicit Machine(int64_t budget) : left(budget) {
    CHECK(context != nullptr && match != nullptr) << "out of memory";
    pcre2_set_match_limit(context, kMatchLimit);
    pcre2_set_depth_limit(context, kDepthLimit);
    pcre2_set_heap_limit(context, kHeapLimitKib);
    pcre2_set_callout(context, &Charge, this);
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~Machine() {
    pcre2_match_data_free(match);
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
  }
};

PatternBudget::PatternBudget(int64_t text_bytes)
    : machine_(std::make_unique<Machine>(kBaseCost + kCostPerByte * text_bytes)),
      most_normalized_(kBaseNormalizedBytes + kNormalizedBytesPerByte * text_bytes) {}
PatternBudget::~PatternBudget() = default;

absl::Status PatternBudget::CheckNormalized(int64_t bytes) const {
  if (bytes <= most_normalized_) return absl::OkStatus();
  return TextTooLongError("a text that the tokenizer lengthens", bytes, most_normalized_);
}

struct Pattern::Code {
  CodePointer code;
  std::string field;
  std::string shown;
};

Pattern::Pattern(std::unique_ptr<const Code> code) : code_(std::move(code)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

absl::StatusOr<Pattern> Pattern::Compile(std::string_view field, std::string_view regex) {
  if (regex.size() > kMaxPatternBytes) {
    return TokenizerPatternInvalidError(field, regex, absl::StrCat("it is longer than ", kMaxPatternBytes, " bytes"));
  }
  ABSL_ASSIGN_OR_RETURN(const std::string translated, TranslatePattern(field, regex));
  // "^" and "$" always match at line ends.
  return CompileWith(field, regex, translated, PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C);
}

absl::StatusOr<Pattern> Pattern::CompileLiteral(std::string_view field, std::string_view literal) {
  if (literal.size() > kMaxPatternBytes) {
    return TokenizerPatternInvalidError(field, literal, absl::StrCat("it is longer than ", kMaxPatternBytes, " bytes"));
  }
  return CompileWith(field, literal, literal, PCRE2_LITERAL);
}

absl::StatusOr<Pattern> Pattern::CompileWith(std::string_view field, std::string_view shown, std::string_view pattern,
                                             uint32_t options) {
  std::unique_ptr<pcre2_compile_context, CompileContextDeleter> context(pcre2_compile_context_create(nullptr));
  CHECK(context != nullptr) << "out of memory";
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context.get(), kMaxNestedGroups);
  int error = 0;
  PCRE2_SIZE at = 0;
  CodePointer code(pcre2_compile(Units(pattern), pattern.size(), options | PCRE2_UTF | PCRE2_AUTO_CALLOUT, &error, &at,
                                 context.get()));
  if (code == nullptr) return TokenizerPatternInvalidError(field, shown, Message(error));
  // Where memory may not be made executable the interpreter matches instead: the same results, slower.
  (void)pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  return Pattern(std::unique_ptr<const Code>(new Code{std::move(code), std::string(field), std::string(shown)}));
}

absl::Status Pattern::ForEachMatch(std::string_view text, PatternBudget& budget,
                                   absl::FunctionRef<absl::Status(ByteRange)> each) const {
  PatternBudget::Machine& machine = *budget.machine_;
  std::optional<size_t> last_end;
  for (size_t from = 0; from <= text.size();) {
    machine.last_position = from;
    const int result = pcre2_match(code_->code.get(), Units(text), text.size(), from, PCRE2_NO_UTF_CHECK, machine.match,
                                   machine.context);
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0) {
      const std::string limit = result == PCRE2_ERROR_CALLOUT
                                    ? absl::StrCat(PatternBudget::kBaseCost, " steps and ", PatternBudget::kCostPerByte,
                                                   " for each byte of text")
                                    : Message(result);
      return TokenizerPatternLimitError(code_->field, code_->shown, limit);
    }
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(machine.match);
    const ByteRange match{ends[0], ends[1]};
    CHECK(match.begin >= from && match.begin <= match.end && match.end <= text.size()) << code_->shown;
    if (match.begin == match.end && last_end == match.end) {
      from = match.end + (match.end < text.size() ? CodePointBytes(text[match.end]) : 1);
    } else {
      last_end = match.end;
      from = match.end;
      ABSL_RETURN_IF_ERROR(each(match));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ByteRange>> Pattern::FindAll(std::string_view text, PatternBudget& budget) const {
  std::vector<ByteRange> matches;
  ABSL_RETURN_IF_ERROR(ForEachMatch(text, budget, [&](ByteRange match) {
    matches.push_back(match);
    return absl::OkStatus();
  }));
  return matches;
}

bool IsPropertyName(const std::string& name) {
  const std::string pattern = "\\p{" + name + "}";
  int error = 0;
  PCRE2_SIZE at = 0;
  return CodePointer(pcre2_compile(Units(pattern), pattern.size(), PCRE2_UTF, &error, &at, nullptr)) != nullptr;
}

}  // namespace bitwright::worker
