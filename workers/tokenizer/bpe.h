#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright::worker {

struct BpeConfig {
  std::vector<std::pair<std::string, int32_t>> vocab;
  std::vector<std::pair<std::string, std::string>> merges;  // best first
  bool ignore_merges = false;  // a piece that is a token of its own is not built from merges
  std::optional<std::string>
      unk_token;  // accepted where it cannot occur: all 256 byte characters are in the vocabulary
};

// Byte-pair encoding (Sennrich et al., 2016): starts from the characters of a piece, and while any neighbours are in
// the list of merges, joins the pair that comes first in the list, leftmost first. Characters that the vocabulary
// lacks are left out, as in the reference library. Immutable, thread-safe.
class Bpe {
 public:
  // TOKENIZER_INVALID: two tokens with one id, one token twice, a merge whose parts or whole are not in the
  // vocabulary. TOKENIZER_UNSUPPORTED: an unk_token that could occur.
  static absl::StatusOr<Bpe> Create(BpeConfig config);
  Bpe(Bpe&&) noexcept;
  ~Bpe();

  std::optional<int32_t> IdOf(std::string_view token) const;
  int64_t token_count() const;
  bool HasToken(int64_t id) const;
  const std::vector<std::string>& tokens() const;  // by id; empty where there is none

  // Encodes pieces of one text; remembers pieces it has seen, so views must live as long as the encoder.
  class Encoder {
   public:
    // `raw_bytes`: pieces are bytes, to be written in the byte alphabet; otherwise characters as they are.
    Encoder(const Bpe& bpe, bool raw_bytes);
    ~Encoder();
    // Appends the ids of a non-empty piece, in O(n log n) for n bytes. TEXT_TOO_LONG above kMaxPieceBytes.
    absl::Status Encode(std::string_view piece, std::vector<int32_t>& ids);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  static constexpr int64_t kMaxPieceBytes = 16 << 20;

 private:
  struct Tables;
  explicit Bpe(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

}  // namespace bitwright::worker
