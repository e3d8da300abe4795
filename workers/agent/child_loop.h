#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "workers/tasks/run_task.h"

namespace bitwright::worker {

using RunTaskFunction =
    std::function<absl::StatusOr<std::vector<TaskOutputFile>>(const v1::TaskSpec& spec, TaskContext& context)>;

// The child's side of the pipe: reads ExecuteRequests from `in`, runs each, writes progress (at most 4 a second) and
// one result or error to `out`, until `in` ends (OK) or the pipe breaks (PIPE_BROKEN). Outputs are hashed here. One
// thread pool serves all tasks with equal `threads`.
absl::Status RunChildLoop(int in, int out, const RunTaskFunction& run_task);

}  // namespace bitwright::worker
