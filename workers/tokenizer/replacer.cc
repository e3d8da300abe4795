#include "workers/tokenizer/replacer.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

std::vector<ByteRange> FindLiteral(std::string_view text, std::string_view literal) {
  std::vector<ByteRange> found;
  for (size_t at = text.find(literal); at != std::string_view::npos; at = text.find(literal, at + literal.size())) {
    found.push_back({at, at + literal.size()});
  }
  return found;
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
  std::vector<ByteRange> matches;
  if (pattern_ == nullptr) {
    matches = FindLiteral(text, r.pattern);
  } else {
    ABSL_ASSIGN_OR_RETURN(matches, pattern_->FindAll(text, budget));
  }
  const size_t most = text.size() + matches.size() * r.content.size();
  ABSL_RETURN_IF_ERROR(budget.CheckNormalized(static_cast<int64_t>(most)));
  Normalized out;
  out.text.reserve(text.size());
  size_t done = 0;
  for (const ByteRange& match : matches) {
    if (match.begin == match.end) return EmptyMatchError(r);
    out.text += text.substr(done, match.begin - done);
    out.text += r.content;
    done = match.end;
  }
  out.text += text.substr(done);
  // What replaces several characters stands where the last of them stood.
  const bool replaced = !matches.empty() && matches.front().begin == 0;
  const bool several = replaced && matches.front().end > static_cast<size_t>(CodePointBytes(text.front()));
  out.keeps_start = !several && !(replaced && r.content.empty());
  return out;
}

}  // namespace bitwright::worker
