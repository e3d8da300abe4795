#include "workers/tokenizer/tokenizer_errors.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"

namespace bitwright::worker {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// Patterns and values come from the file: keep messages short whatever they hold.
std::string Excerpt(std::string_view text) {
  constexpr size_t kMaxBytes = 200;
  if (text.size() <= kMaxBytes) return std::string(text);
  size_t end = kMaxBytes;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return absl::StrCat(View(text.substr(0, end)), "...");
}

absl::Status Make(std::string_view reason, const std::string& message, std::map<std::string, std::string> metadata) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message, std::move(metadata));
}

}  // namespace

absl::Status TokenizerInvalidError(std::string_view field, std::string_view problem) {
  return Make("TOKENIZER_INVALID",
              absl::StrCat("tokenizer.json: ", Excerpt(field), ": ", Excerpt(problem), "; save the tokenizer again"),
              {{"field", Excerpt(field)}});
}

absl::Status TokenizerUnsupportedError(std::string_view field, std::string_view value, std::string_view supported) {
  return Make("TOKENIZER_UNSUPPORTED",
              absl::StrCat("tokenizer.json: ", Excerpt(field), ": ", Excerpt(value), " is not supported; supported: ",
                           View(supported), ". Token ids may be given instead of text"),
              {{"field", Excerpt(field)}, {"value", Excerpt(value)}});
}

absl::Status SentencePieceInvalidError(std::string_view field, std::string_view problem) {
  return Make("TOKENIZER_INVALID",
              absl::StrCat("tokenizer.model: ", Excerpt(field), ": ", Excerpt(problem), "; download the file again"),
              {{"field", Excerpt(field)}});
}

absl::Status SentencePieceUnsupportedError(std::string_view field, std::string_view value, std::string_view supported) {
  return Make("TOKENIZER_UNSUPPORTED",
              absl::StrCat("tokenizer.model: ", Excerpt(field), ": ", Excerpt(value), " is not supported; supported: ",
                           View(supported), ". Convert it to a tokenizer.json, or give token ids instead of text"),
              {{"field", Excerpt(field)}, {"value", Excerpt(value)}});
}

absl::Status TokenizerPatternInvalidError(std::string_view field, std::string_view pattern, std::string_view problem) {
  return Make("TOKENIZER_PATTERN_INVALID",
              absl::StrCat("tokenizer.json: ", View(field), ": the regular expression \"", Excerpt(pattern),
                           "\" does not compile: ", View(problem)),
              {{"field", Excerpt(field)}});
}

absl::Status TokenizerPatternLimitError(std::string_view field, std::string_view pattern, std::string_view limit) {
  return Make("TOKENIZER_PATTERN_LIMIT",
              absl::StrCat("tokenizer.json: ", View(field), ": the regular expression \"", Excerpt(pattern),
                           "\" costs more than the limit (", View(limit),
                           "); rewrite it without nested repetition, or give token ids instead of text"),
              {{"field", Excerpt(field)}, {"limit", std::string(limit)}});
}

absl::Status TextNotUtf8Error(int64_t byte) {
  return Make("TEXT_NOT_UTF8", absl::StrCat("the text is not UTF-8 at byte ", byte, "; convert it to UTF-8"),
              {{"byte", absl::StrCat(byte)}});
}

absl::Status TextTooLongError(std::string_view what, int64_t bytes, int64_t limit) {
  return Make("TEXT_TOO_LONG",
              absl::StrCat(View(what), " has ", bytes, " bytes; the limit is ", limit, "; cut the text into parts"),
              {{"bytes", absl::StrCat(bytes)}, {"limit", absl::StrCat(limit)}});
}

absl::Status TokenIdUnknownError(int64_t id, int64_t position, int64_t vocab_size) {
  return Make("TOKEN_ID_UNKNOWN",
              absl::StrCat("token id ", id, " at position ", position, " is not in the vocabulary (ids below ",
                           vocab_size, "); use the ids of this model's own tokenizer"),
              {{"id", absl::StrCat(id)}, {"position", absl::StrCat(position)}});
}

absl::Status IdLineInvalidError(int64_t line, std::string_view problem) {
  return Make("DATA_INVALID", absl::StrCat("line ", line, " of the token ids ", View(problem)),
              {{"line", absl::StrCat(line)}});
}

}  // namespace bitwright::worker
