#include "workers/choices/sequences.h"

#include <algorithm>
#include <string>

#include "proto/base/status_macros.h"
#include "workers/chat/strings.h"
#include "workers/choices/choices_errors.h"

namespace bitwright::worker {

absl::StatusOr<ScoredSequence> EncodeChoice(const Tokenizer& tokenizer, const Question::Choice& choice,
                                            int64_t most_ids, int64_t line) {
  const std::string context(StripRight(choice.context));
  ABSL_ASSIGN_OR_RETURN(std::vector<int32_t> whole, tokenizer.Encode(choice.context + choice.continuation, true));
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> before, tokenizer.Encode(context, true));
  if (before.empty() || whole.size() <= before.size()) {
    return QuestionInvalidError(line, "has a choice, or a context, of which the tokenizer makes no token");
  }
  ScoredSequence sequence;
  const size_t scored = whole.size() - before.size();
  const size_t kept = std::min(whole.size(), static_cast<size_t>(std::max<int64_t>(most_ids, 2)));
  whole.erase(whole.begin(), whole.end() - static_cast<std::ptrdiff_t>(kept));
  sequence.scored = static_cast<int32_t>(std::min(scored, kept - 1));
  sequence.ids = std::move(whole);
  return sequence;
}

std::vector<SequenceShard> ShardSequences(const std::vector<ScoredSequence>& sequences, int64_t most_tokens) {
  std::vector<SequenceShard> shards;
  for (size_t s = 0; s < sequences.size(); ++s) {
    const int at = static_cast<int>(s), window = static_cast<int>(sequences[s].ids.size()) - 1;
    const bool fits = !shards.empty() && int64_t{at + 1 - shards.back().begin} * window <= most_tokens;
    if (!fits) shards.push_back({at, at, 0});
    shards.back().end = at + 1;
    shards.back().window = window;
  }
  return shards;
}

}  // namespace bitwright::worker
