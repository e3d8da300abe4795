#include "workers/tokenizer/unicode_forms.h"

#include <unicode/brkiter.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

#include <limits>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

const icu::Normalizer2& Instance(UnicodeForm form) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* instance = nullptr;
  switch (form) {
    case UnicodeForm::kNfc:
      instance = icu::Normalizer2::getNFCInstance(error);
      break;
    case UnicodeForm::kNfd:
      instance = icu::Normalizer2::getNFDInstance(error);
      break;
    case UnicodeForm::kNfkc:
      instance = icu::Normalizer2::getNFKCInstance(error);
      break;
    case UnicodeForm::kNfkd:
      instance = icu::Normalizer2::getNFKDInstance(error);
      break;
  }
  CHECK(U_SUCCESS(error)) << "ICU has no normalization data: " << u_errorName(error);
  return *instance;
}

// What the table makes of a grapheme: as a whole when it is short, or else code point by code point.
void AppendGrapheme(const Charsmap& charsmap, std::string_view grapheme, std::string& out) {
  constexpr size_t kLongBytes = 6;  // the reference library's
  if (grapheme.size() < kLongBytes) {
    if (const auto match = charsmap.Shortest(grapheme); match.length > 0) {
      out += match.replacement;
      return;
    }
  }
  while (!grapheme.empty()) {
    const std::string_view character = grapheme.substr(0, CodePointBytes(grapheme.front()));
    const auto match = charsmap.Shortest(character);
    out += match.length > 0 ? match.replacement : character;
    grapheme.remove_prefix(character.size());
  }
}

}  // namespace

absl::StatusOr<std::string> ToForm(UnicodeForm form, std::string_view text) {
  // A code point grows to at most 18 (NFKD of U+FDFA), 11 times its bytes.
  constexpr int64_t kMaxBytes = std::numeric_limits<int32_t>::max() / 11;
  const auto size = static_cast<int64_t>(text.size());
  if (size > kMaxBytes) return TextTooLongError("a text to normalize", size, kMaxBytes);
  std::string out;
  out.reserve(text.size());
  icu::StringByteSink<std::string> sink(&out);
  UErrorCode error = U_ZERO_ERROR;
  Instance(form).normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(size)), sink, nullptr, error);
  if (U_FAILURE(error)) return TextTooLongError("a text to normalize", size, kMaxBytes);
  return out;
}

std::string ToLowercase(std::string_view text) {
  constexpr int32_t kCapitalIWithDot = 0x130;  // the only code point whose lower case is two: "i" and U+0307
  constexpr int32_t kCombiningDotAbove = 0x307;
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const int32_t code_point = FirstCodePoint(text);
    text.remove_prefix(CodePointBytes(text.front()));
    if (code_point == kCapitalIWithDot) {
      out += 'i';
      AppendCodePoint(kCombiningDotAbove, out);
    } else {
      AppendCodePoint(u_tolower(code_point), out);
    }
  }
  return out;
}

std::string_view StripSpace(const StripStep& strip, std::string_view text) {
  if (strip.left) text.remove_prefix(LeadingSpace(text));
  if (strip.right) text = text.substr(0, TrailingSpaceStart(text));
  return text;
}

absl::StatusOr<std::string> ReplaceGraphemes(const Charsmap& charsmap, std::string_view text,
                                             const PatternBudget& budget) {
  UErrorCode error = U_ZERO_ERROR;
  UText source = UTEXT_INITIALIZER;
  utext_openUTF8(&source, text.data(), static_cast<int64_t>(text.size()), &error);
  const std::unique_ptr<icu::BreakIterator> graphemes(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), error));
  CHECK(U_SUCCESS(error)) << "ICU has no data for graphemes: " << u_errorName(error);
  graphemes->setText(&source, error);
  CHECK(U_SUCCESS(error)) << u_errorName(error);
  std::string out;
  out.reserve(text.size());
  int32_t begin = 0;
  for (int32_t end = graphemes->next(); end != icu::BreakIterator::DONE; end = graphemes->next()) {
    AppendGrapheme(charsmap, text.substr(begin, end - begin), out);
    ABSL_RETURN_IF_ERROR(budget.CheckNormalized(static_cast<int64_t>(out.size())));
    begin = end;
  }
  utext_close(&source);
  return out;
}

}  // namespace bitwright::worker
