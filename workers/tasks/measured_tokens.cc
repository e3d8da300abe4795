#include "workers/tasks/measured_tokens.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "workers/tasks/token_file.h"

namespace bitwright::worker {

absl::StatusOr<TokenStats> ReadTokens(const TaskIo& io, std::span<const std::string> inputs) {
  TokenStats stats;
  for (const std::string& input : inputs) {
    ABSL_ASSIGN_OR_RETURN(const std::string path, io.InputPath(input));
    ABSL_RETURN_IF_ERROR(AppendTokenStats(path, stats));
  }
  return stats;
}

absl::StatusOr<EvaluationSummary> SummarizeTokens(const TokenStats& tokens, int window) {
  return Summarize(tokens, std::max(window - 1, 1));  // the first token of a window is not scored
}

}  // namespace bitwright::worker
