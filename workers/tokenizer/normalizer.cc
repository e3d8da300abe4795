#include "workers/tokenizer/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <limits>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

std::string Lowercase(std::string_view text) {
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

const icu::Normalizer2& Form(Normalizer step) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* form = nullptr;
  switch (step) {
    case Normalizer::kNfc:
      form = icu::Normalizer2::getNFCInstance(error);
      break;
    case Normalizer::kNfd:
      form = icu::Normalizer2::getNFDInstance(error);
      break;
    case Normalizer::kNfkc:
      form = icu::Normalizer2::getNFKCInstance(error);
      break;
    default:
      form = icu::Normalizer2::getNFKDInstance(error);
      break;
  }
  CHECK(U_SUCCESS(error)) << "ICU has no normalization data: " << u_errorName(error);
  return *form;
}

absl::StatusOr<std::string> Compose(Normalizer step, std::string_view text) {
  // A code point grows to at most 18 (NFKD of U+FDFA), 11 times its bytes.
  constexpr int64_t kMaxBytes = std::numeric_limits<int32_t>::max() / 11;
  const auto size = static_cast<int64_t>(text.size());
  if (size > kMaxBytes) return TextTooLongError("a text to normalize", size, kMaxBytes);
  std::string out;
  out.reserve(text.size());
  icu::StringByteSink<std::string> sink(&out);
  UErrorCode error = U_ZERO_ERROR;
  Form(step).normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(size)), sink, nullptr, error);
  if (U_FAILURE(error)) return TextTooLongError("a text to normalize", size, kMaxBytes);
  return out;
}

}  // namespace

absl::StatusOr<std::string> Normalize(std::span<const Normalizer> steps, std::string_view text) {
  std::string current(text);
  for (Normalizer step : steps) {
    if (step == Normalizer::kLowercase) {
      current = Lowercase(current);
    } else {
      ABSL_ASSIGN_OR_RETURN(current, Compose(step, current));
    }
  }
  return current;
}

}  // namespace bitwright::worker
