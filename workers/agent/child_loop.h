#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "workers/tasks/run_task.h"

namespace bitwright::v1 {
class ExecuteRequest;
}  // namespace bitwright::v1

namespace bitwright::worker {

using RunTaskFunction =
    std::function<absl::StatusOr<std::vector<TaskOutputFile>>(const v1::TaskSpec& spec, TaskContext& context)>;

// Gives up what no task of this process needs, knowing the first one. Called before it runs, on the loop's thread, when
// the loop has not started others.
using ConfineFunction = std::function<absl::Status(const v1::ExecuteRequest& first)>;

// The child's side of the pipe: reads ExecuteRequests from `in`, runs each, writes progress (at most 4 a second) and
// one result or error to `out`, until `in` ends (OK) or the pipe breaks (PIPE_BROKEN). Outputs are hashed here. One
// thread pool serves all tasks with equal `threads`. An error of `confine` ends the loop before the first task. Numeric
// tasks compute on what `make_device` makes; none: the processor.
absl::Status RunChildLoop(int in, int out, const RunTaskFunction& run_task, const ConfineFunction& confine = nullptr,
                          const MakeDeviceFunction& make_device = nullptr);

}  // namespace bitwright::worker
