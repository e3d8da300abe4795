#include "workers/tasks/measured_tokens.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "workers/tasks/token_file.h"

namespace bitwright::worker {

absl::StatusOr<EvaluationSummary> SummarizeTokens(const TaskIo& io, const std::vector<std::string>& inputs,
                                                  int window) {
  TokenStats stats;
  for (const std::string& input : inputs) {
    ABSL_ASSIGN_OR_RETURN(const std::string path, io.InputPath(input));
    ABSL_RETURN_IF_ERROR(AppendTokenStats(path, stats));
  }
  return Summarize(stats, std::max(window - 1, 1));  // the first token of a window is not scored
}

}  // namespace bitwright::worker
