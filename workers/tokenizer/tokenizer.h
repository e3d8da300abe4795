#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright::worker {

struct TokenizerConfig;

// A tokenizer of Hugging Face's `tokenizers` library, read from its tokenizer.json, or of SentencePiece, read from its
// tokenizer.model: BPE by bytes or characters, and Unigram. Gives the ids and texts of that library (version 0.23; of
// SentencePiece 0.2), exactly, but for characters that are younger than PCRE2's and ICU's tables (Unicode 14 in Debian
// 12; the library's are of 16): their classes differ. Immutable, thread-safe.
//
// The file is hostile. All errors are INVALID_ARGUMENT:
//   TOKENIZER_INVALID          not JSON or the protobuf, a limit of json_reader.h or sentencepiece_model.h passed, a
//   part
//                              missing or of the wrong type, an id twice, a merge whose parts are not in the
//                              vocabulary; names the field
//   TOKENIZER_UNSUPPORTED      a part of another kind (WordPiece, BertNormalizer, ...); names it
//   TOKENIZER_PATTERN_INVALID  a regular expression that does not compile
//   TOKENIZER_PATTERN_LIMIT    a regular expression that costs too much on this text (from Encode)
class Tokenizer {
 public:
  static absl::StatusOr<std::unique_ptr<const Tokenizer>> Load(std::string_view tokenizer_json);
  // What it does where SentencePiece and its converters differ: sentencepiece_config.h.
  static absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadSentencePiece(std::string_view tokenizer_model);
  ~Tokenizer();

  // The ids of a UTF-8 text. Added tokens in the text are recognized in any case; `add_special_tokens` puts
  // those of the post-processor (such as a beginning-of-text token) around it. Time is O(n log n) in the text.
  // TEXT_NOT_UTF8 (with the byte), TEXT_TOO_LONG (above kMaxTextBytes, or 16 MiB that nothing cuts),
  // TOKENIZER_PATTERN_LIMIT, TOKENIZER_UNSUPPORTED (a Replace that matches between two characters of this text).
  absl::StatusOr<std::vector<int32_t>> Encode(std::string_view text, bool add_special_tokens) const;
  // The same, part after part, so that no more than the text is in memory (twice, where the tokenizer normalizes it;
  // thrice, where it also writes spaces as characters). An error of `sink` ends it.
  using IdSink = absl::FunctionRef<absl::Status(std::span<const int32_t> ids)>;
  absl::Status EncodeTo(std::string_view text, bool add_special_tokens, IdSink sink) const;

  // The text of ids; bytes that are not UTF-8 become U+FFFD. `skip_special_tokens` leaves out added tokens that the
  // file marks special. TOKEN_ID_UNKNOWN.
  absl::StatusOr<std::string> Decode(std::span<const int32_t> ids, bool skip_special_tokens) const;

  int64_t vocab_size() const;  // one above the largest id, added tokens included

  static constexpr int64_t kMaxTextBytes = int64_t{1} << 30;

 private:
  struct Parts;
  static absl::StatusOr<std::unique_ptr<const Tokenizer>> Make(TokenizerConfig config);
  explicit Tokenizer(std::unique_ptr<const Parts> parts);
  std::unique_ptr<const Parts> parts_;
};

}  // namespace bitwright::worker
