#include "server/scheduler/late_results.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "proto/base/status_macros.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

bool SameOutputs(const v1::TaskResult& a, const v1::TaskResult& b) {
  return std::equal(a.outputs().begin(), a.outputs().end(), b.outputs().begin(), b.outputs().end(),
                    [](const v1::TaskOutput& x, const v1::TaskOutput& y) {
                      return x.name() == y.name() && x.digest().sha256() == y.digest().sha256() &&
                             x.digest().size_bytes() == y.digest().size_bytes();
                    });
}

bool WasAccepted(const TaskRow& row, const v1::TaskResult& given) {
  v1::TaskResult kept;
  return row.state == TaskState::kDone && kept.ParseFromString(row.result) && SameOutputs(given, kept);
}

// A failure was noted, unless the lease was merely taken away.
bool WasNoted(const TaskRow& row) {
  return (row.state == TaskState::kWaiting || row.state == TaskState::kReady || row.state == TaskState::kFailed) &&
         !row.error.empty();
}

// Looks at the row of a task whose lease had this token last.
void Judge(Core& core, const std::string& task, int64_t token, std::function<bool(const TaskRow&)> is_known,
           Answer answer) {
  Outside<absl::Status>(
      core,
      [&store = core.store, task, token, is_known = std::move(is_known)]() -> absl::Status {
        std::optional<TaskRow> row;
        ABSL_RETURN_IF_ERROR(store.Read([&](Snapshot& snapshot) -> absl::Status {
          ABSL_ASSIGN_OR_RETURN(row, snapshot.GetTask(task));
          return absl::OkStatus();
        }));
        const bool known = row && row->fencing_token == token && is_known(*row);
        return known ? absl::OkStatus() : LeaseLostError(task, token);
      },
      [answer = std::move(answer)](Core& under_lock, absl::Status status) { Tell(under_lock, answer, status); });
}

}  // namespace

v1::TaskResult SortedResult(v1::TaskResult result) {
  std::sort(result.mutable_outputs()->begin(), result.mutable_outputs()->end(),
            [](const v1::TaskOutput& a, const v1::TaskOutput& b) { return a.name() < b.name(); });
  return result;
}

void LateResult(Core& core, const v1::CompleteTaskRequest& request, Answer answer) {
  Judge(
      core, request.task(), request.fencing_token(),
      [given = SortedResult(request.result())](const TaskRow& row) { return WasAccepted(row, given); },
      std::move(answer));
}

void LateFailure(Core& core, const v1::FailTaskRequest& request, Answer answer) {
  Judge(core, request.task(), request.fencing_token(), WasNoted, std::move(answer));
}

}  // namespace bitwright::server
