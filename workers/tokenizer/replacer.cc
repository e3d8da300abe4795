#include "workers/tokenizer/replacer.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

absl::Status ForEachLiteral(std::string_view text, std::string_view literal,
                            absl::FunctionRef<absl::Status(ByteRange)> each) {
  for (size_t at = text.find(literal); at != std::string_view::npos; at = text.find(literal, at + literal.size())) {
    ABSL_RETURN_IF_ERROR(each({at, at + literal.size()}));
  }
  return absl::OkStatus();
}

// Of the text with all matches of a literal replaced, so that memory is taken once.
size_t SizeWith(std::string_view text, const Replacement& r) {
  size_t count = 0;
  for (size_t at = text.find(r.pattern); at != std::string_view::npos;
       at = text.find(r.pattern, at + r.pattern.size())) {
    ++count;
  }
  return text.size() + (count + 1) * r.content.size() - count * r.pattern.size();  // one more may be put before it
}

// The reference library replaces such matches in a way of its own.
absl::Status EmptyMatchError(const Replacement& replacement) {
  return TokenizerUnsupportedError(replacement.field,
                                   absl::StrCat("\"", replacement.pattern, "\", which matches the empty text,"),
                                   "patterns that match characters");
}

}  // namespace

absl::StatusOr<Replacer> Replacer::Create(Replacement replacement) {
  Replacer result(std::move(replacement));
  const Replacement& r = result.replacement_;
  if (r.pattern.empty()) return EmptyMatchError(r);
  if (r.is_regex) {
    ABSL_ASSIGN_OR_RETURN(Pattern pattern, Pattern::Compile(r.field, r.pattern));
    result.pattern_ = std::make_unique<const Pattern>(std::move(pattern));
  }
  return result;
}

absl::StatusOr<Normalized> Replacer::Apply(std::string_view text, PatternBudget& budget) const {
  const Replacement& r = replacement_;
  Normalized out;
  out.text.reserve(pattern_ == nullptr ? SizeWith(text, r) : text.size());
  size_t done = 0;
  std::optional<ByteRange> first;
  const auto replace = [&](ByteRange match) -> absl::Status {
    if (match.begin == match.end) return EmptyMatchError(r);
    out.text += text.substr(done, match.begin - done);
    out.text += r.content;
    done = match.end;
    if (!first) first = match;
    return budget.CheckNormalized(static_cast<int64_t>(out.text.size() + text.size() - done));
  };
  ABSL_RETURN_IF_ERROR(pattern_ == nullptr ? ForEachLiteral(text, r.pattern, replace)
                                           : pattern_->ForEachMatch(text, budget, replace));
  out.text += text.substr(done);
  // What replaces several characters stands where the last of them stood.
  const bool replaced = first && first->begin == 0;
  const bool several = replaced && first->end > static_cast<size_t>(CodePointBytes(text.front()));
  out.keeps_start = !several && !(replaced && r.content.empty());
  return out;
}

}  // namespace bitwright::worker
