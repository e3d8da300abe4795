#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// Every error of the tokenizer is INVALID_ARGUMENT: the model's or the caller's own fault, so never worth a retry.

// TOKENIZER_INVALID: the file breaks the format. `field` is a path such as "model.merges[3]"; metadata: field.
absl::Status TokenizerInvalidError(std::string_view field, std::string_view problem);

// TOKENIZER_UNSUPPORTED: the file is in order but needs a part that we do not have. `supported` lists what we have;
// metadata: field, value.
absl::Status TokenizerUnsupportedError(std::string_view field, std::string_view value, std::string_view supported);

// The same of a tokenizer.model; `field` is a path such as "pieces[3].score".
absl::Status SentencePieceInvalidError(std::string_view field, std::string_view problem);
absl::Status SentencePieceUnsupportedError(std::string_view field, std::string_view value, std::string_view supported);

// TOKENIZER_PATTERN_INVALID: the regular expression does not compile; metadata: field.
absl::Status TokenizerPatternInvalidError(std::string_view field, std::string_view pattern, std::string_view problem);

// TOKENIZER_PATTERN_LIMIT: matching cost more than a tokenizer's pattern may; metadata: field, limit.
absl::Status TokenizerPatternLimitError(std::string_view field, std::string_view pattern, std::string_view limit);

// TEXT_NOT_UTF8; metadata: byte (offset of the first byte that is not UTF-8).
absl::Status TextNotUtf8Error(int64_t byte);

// TEXT_TOO_LONG: the text, or a piece of it that the pre-tokenizer leaves whole; metadata: bytes, limit.
absl::Status TextTooLongError(std::string_view what, int64_t bytes, int64_t limit);

// TOKEN_ID_UNKNOWN: the vocabulary has no such id; metadata: id, position.
absl::Status TokenIdUnknownError(int64_t id, int64_t position, int64_t vocab_size);

// DATA_INVALID: a line of token ids, counted from 1, breaks the format; metadata: line.
absl::Status IdLineInvalidError(int64_t line, std::string_view problem);

}  // namespace bitwright::worker
