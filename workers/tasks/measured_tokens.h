#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/evaluate/summary.h"
#include "workers/tasks/task_io.h"

namespace bitwright::worker {

// The summary of token files, joined in order, over windows of `window` tokens. Errors of AppendTokenStats and
// Summarize.
absl::StatusOr<EvaluationSummary> SummarizeTokens(const TaskIo& io, const std::vector<std::string>& inputs, int window);

}  // namespace bitwright::worker
