#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/pattern.h"
#include "workers/tokenizer/replacer.h"

namespace bitwright::worker {

// Characters of the byte alphabet become their bytes; all tokens become one.
struct ByteLevelDecoder {};
// Tokens <0x00> to <0xFF> become their bytes; where a run of them is not UTF-8, each becomes U+FFFD.
struct ByteFallbackDecoder {};
// All tokens become one.
struct FuseDecoder {};
// `replacement` becomes a space, or nothing in the first token when `prepended` says that encoding put one there.
struct MetaspaceDecoder {
  std::string replacement;
  bool prepended = true;
};
// Takes at most `start` times `content`, one character, off the front of every token, and `stop` times off its end.
struct StripDecoder {
  std::string content;
  int64_t start = 0;
  int64_t stop = 0;
};

using DecoderStep =
    std::variant<ByteLevelDecoder, ByteFallbackDecoder, FuseDecoder, MetaspaceDecoder, StripDecoder, Replacement>;

// Makes text of tokens by its steps, in order. Immutable, thread-safe.
class TokenDecoder {
 public:
  // Errors of Pattern::Compile.
  static absl::StatusOr<TokenDecoder> Create(std::vector<DecoderStep> steps);

  // Bytes that are not UTF-8 are U+FFFD in the result. TOKENIZER_PATTERN_LIMIT, TEXT_TOO_LONG.
  absl::StatusOr<std::string> Decode(std::vector<std::string> tokens) const;

 private:
  using Compiled = std::variant<ByteLevelDecoder, ByteFallbackDecoder, FuseDecoder, MetaspaceDecoder, StripDecoder,
                                std::shared_ptr<const Replacer>>;
  static absl::StatusOr<Compiled> Compile(Replacement replacement);
  template <typename Plain>
  static absl::StatusOr<Compiled> Compile(Plain step) {
    return Compiled(std::move(step));
  }
  explicit TokenDecoder(std::vector<Compiled> steps) : steps_(std::move(steps)) {}
  std::vector<Compiled> steps_;
};

}  // namespace bitwright::worker
