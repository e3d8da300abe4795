#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/evaluate/summary.h"
#include "workers/tasks/task_io.h"

namespace bitwright::worker {

// The tokens of token files, joined in order. Errors of AppendTokenStats.
absl::StatusOr<TokenStats> ReadTokens(const TaskIo& io, std::span<const std::string> inputs);

// Over windows of `window` tokens. Errors of Summarize.
absl::StatusOr<EvaluationSummary> SummarizeTokens(const TokenStats& tokens, int window);

}  // namespace bitwright::worker
