#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/token_model.h"

namespace bitwright::worker {

struct BpeConfig {
  std::vector<Vocabulary::Entry> vocab;
  std::vector<std::pair<std::string, std::string>> merges;  // best first
  std::vector<int32_t> ranks;            // of each merge, the lowest joined first; empty: as they stand
  bool ignore_merges = false;            // a piece that is a token of its own is not built from merges
  bool byte_fallback = false;            // a character that is no token becomes the tokens <0x..> of its bytes
  std::optional<std::string> unk_token;  // or else this one; without it, such characters are left out
  bool fuse_unk = false;                 // one for a run of them
  bool byte_alphabet = false;            // pieces are bytes, to be written in the byte alphabet
};

// Byte-pair encoding (Sennrich et al., 2016): starts from the characters of a piece, and while any neighbours are in
// the list of merges, joins the pair that comes first in the list, leftmost first.
class Bpe final : public TokenModel {
 public:
  // TOKENIZER_INVALID: errors of Vocabulary, a merge whose parts or whole are not in the vocabulary, or an unk_token
  // that is not and could occur.
  static absl::StatusOr<std::unique_ptr<const TokenModel>> Create(BpeConfig config);
  ~Bpe() override;

  const Vocabulary& vocabulary() const override;
  std::unique_ptr<Encoder> NewEncoder() const override;

 private:
  class PieceEncoder;
  struct Tables;
  explicit Bpe(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

}  // namespace bitwright::worker
