#include "server/jobs/job_state.h"

#include "server/jobs/job_errors.h"

namespace bitwright::server {
namespace {

struct Row {
  v1::Job::State state;
  v1::Job::State first_lease;
  v1::Job::State all_tasks_done;
  v1::Job::State task_failed;
  v1::Job::State cancel_requested;  // STATE_UNSPECIFIED: JOB_FINISHED
};

constexpr Row kTable[] = {
    {v1::Job::QUEUED, v1::Job::RUNNING, v1::Job::SUCCEEDED, v1::Job::FAILED, v1::Job::CANCELLED},
    {v1::Job::RUNNING, v1::Job::RUNNING, v1::Job::SUCCEEDED, v1::Job::FAILED, v1::Job::CANCELLED},
    {v1::Job::SUCCEEDED, v1::Job::SUCCEEDED, v1::Job::SUCCEEDED, v1::Job::SUCCEEDED, v1::Job::STATE_UNSPECIFIED},
    {v1::Job::FAILED, v1::Job::FAILED, v1::Job::FAILED, v1::Job::FAILED, v1::Job::STATE_UNSPECIFIED},
    {v1::Job::CANCELLED, v1::Job::CANCELLED, v1::Job::CANCELLED, v1::Job::CANCELLED, v1::Job::CANCELLED},
};

v1::Job::State Column(const Row& row, JobEvent event) {
  switch (event) {
    case JobEvent::kFirstLease:
      return row.first_lease;
    case JobEvent::kAllTasksDone:
      return row.all_tasks_done;
    case JobEvent::kTaskFailed:
      return row.task_failed;
    case JobEvent::kCancelRequested:
      return row.cancel_requested;
  }
  return v1::Job::STATE_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<v1::Job::State> NextJobState(v1::Job::State state, JobEvent event) {
  for (const Row& row : kTable) {
    if (row.state != state) continue;
    const v1::Job::State next = Column(row, event);
    if (next == v1::Job::STATE_UNSPECIFIED) return JobFinishedError(JobStateName(state));
    return next;
  }
  return JobStateUnknownError(static_cast<int>(state));
}

std::string_view JobStateName(v1::Job::State state) {
  switch (state) {
    case v1::Job::QUEUED:
      return "QUEUED";
    case v1::Job::RUNNING:
      return "RUNNING";
    case v1::Job::SUCCEEDED:
      return "SUCCEEDED";
    case v1::Job::FAILED:
      return "FAILED";
    case v1::Job::CANCELLED:
      return "CANCELLED";
    default:
      return "STATE_UNSPECIFIED";
  }
}

}  // namespace bitwright::server
