#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/choices/question_reader.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {

// A context and its continuation as tokens.
struct ScoredSequence {
  std::vector<int32_t> ids;  // the last one is predicted, and never read
  int32_t scored = 0;        // ids of the continuation, at the end; fewer than all
};

// As lm-evaluation-harness tokenizes a pair (README.md). At most `most_ids` ids, those at the end. QUESTION_INVALID: no
// token is left for the continuation, or none before it. Errors of Tokenizer::Encode.
absl::StatusOr<ScoredSequence> EncodeChoice(const Tokenizer& tokenizer, const Question::Choice& choice,
                                            int64_t most_ids, int64_t line);

// Half-open ranges of sequences, given by rising length, each padded to its longest without the last id: at most
// `most_tokens` tokens each, but one sequence at least.
struct SequenceShard {
  int begin = 0;
  int end = 0;
  int window = 0;
};
std::vector<SequenceShard> ShardSequences(const std::vector<ScoredSequence>& sequences, int64_t most_tokens);

}  // namespace bitwright::worker
