#pragma once

#include "absl/status/status.h"
#include "workers/tokenizer/bpe.h"
#include "workers/tokenizer/sentencepiece_model.h"

namespace bitwright::worker {

// SentencePiece's BPE has no list of merges: any two neighbours are joined whose text together is a piece, that with
// the highest score first. Writes this as merges with ranks: of each piece, every way to cut it into two pieces, with
// the rank of its score. O(bytes of the pieces times their length). TOKENIZER_UNSUPPORTED: a piece of type UNUSED, or
// with a character that is no piece: neighbours by their ids cannot say these. TOKENIZER_INVALID: more than kMaxMerges.
absl::Status AddMerges(const SentencePieceModel& model, BpeConfig& config);

}  // namespace bitwright::worker
