#include "server/scheduler/job_start.h"

#include <utility>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "server/jobs/job_state.h"

namespace bitwright::server {
namespace {

absl::StatusOr<JobRow> StartedRow(const JobWork& work, const LiveTask& task, const v1::WorkerCapacity& worker,
                                  absl::Time now) {
  JobRow row = work.row;
  v1::Job job = work.job;
  ABSL_ASSIGN_OR_RETURN(const v1::Job::State state, NextJobState(job.state(), JobEvent::kFirstLease));
  job.set_state(state);
  if (!job.has_start_time()) *job.mutable_start_time() = ToProto(now);
  if (task.node.numeric && row.pinned_class.empty()) {
    row.pinned_class = worker.compute_class();
    row.pinned_code = worker.code_version();
    job.set_compute_class(row.pinned_class);
  }
  row.state = state;
  row.body = job.SerializeAsString();
  return row;
}

// The revision that watchers have seen is kept.
void SetRow(JobWork& work, const JobRow& row) {
  work.row = row;
  const int64_t revision = work.job.revision();
  CHECK(work.job.ParseFromString(row.body)) << row.name;
  work.job.set_revision(revision);
}

}  // namespace

absl::StatusOr<bool> BeginTask(Core& core, TaskBoard::Place place, const v1::WorkerCapacity& worker,
                               const std::function<absl::StatusOr<std::optional<TaskRow>>(Transaction&)>& row_of) {
  JobWork* job = place.owner->job();
  std::optional<JobRow> job_row;
  if (job != nullptr) {
    ABSL_ASSIGN_OR_RETURN(job_row, StartedRow(*job, *place.task, worker, core.clock.Now()));
  }
  std::optional<TaskRow> row;
  ABSL_RETURN_IF_ERROR(core.store.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, row_of(tx));
    if (!row) return absl::OkStatus();
    ABSL_RETURN_IF_ERROR(tx.PutTask(*row));
    return job_row ? tx.PutJob(*job_row) : absl::OkStatus();
  }));
  if (!row) return false;
  place.owner->waiting.reset();
  if (job_row) SetRow(*job, *job_row);
  core.board.SetRow(*place.task, *std::move(row));
  return true;
}

}  // namespace bitwright::server
