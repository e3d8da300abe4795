#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/token_model.h"

namespace bitwright::worker {

struct UnigramConfig {
  struct Piece {
    std::string text;
    double score = 0;      // log probability
    bool in_texts = true;  // false: is never found in a text (a control token, a byte)
  };
  std::vector<Piece> pieces;      // by id
  int32_t unk_id = 0;             // for runs of characters that no piece covers
  double unknown_score = 0;       // of each of them
  bool byte_fallback = false;     // they become the tokens <0x..> of their bytes instead
  bool single_precision = false;  // sums along the text are float32, as in SentencePiece; else float64
};

// A unigram language model (Kudo, 2018): of all ways to cut a piece of text into tokens, the one with the highest sum
// of scores, found from left to right (Viterbi); of equal ones, that whose last token is longest. Immutable,
// thread-safe.
class Unigram final : public TokenModel {
 public:
  // What the reference library takes off the lowest score for an unknown character.
  static constexpr double kUnknownPenalty = 10;
  // A longer token is refused: every byte of text costs at most so many steps.
  static constexpr size_t kMaxTokenBytes = 1024;

  // TOKENIZER_INVALID: errors of Vocabulary, no pieces, an empty or too long one, a score that is not finite, unk_id
  // not an id.
  static absl::StatusOr<std::unique_ptr<const TokenModel>> Create(UnigramConfig config);
  ~Unigram() override;

  const Vocabulary& vocabulary() const override;
  std::unique_ptr<Encoder> NewEncoder() const override;

 private:
  class PieceEncoder;
  struct Tables;
  explicit Unigram(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

}  // namespace bitwright::worker
