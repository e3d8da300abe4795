#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"

namespace bitwright::server {

// What can happen to a job.
enum class JobEvent { kFirstLease, kAllTasksDone, kTaskFailed, kCancelRequested };

//   state      first lease   all tasks done   task failed   cancel requested
//   QUEUED     RUNNING       SUCCEEDED        FAILED        CANCELLED
//   RUNNING    RUNNING       SUCCEEDED        FAILED        CANCELLED
//   SUCCEEDED  –             –                –             JOB_FINISHED
//   FAILED     –             –                –             JOB_FINISHED
//   CANCELLED  –             –                –             CANCELLED
// "–": a late event; the state stays and the call is OK. JOB_FINISHED: FAILED_PRECONDITION with that reason.
absl::StatusOr<v1::Job::State> NextJobState(v1::Job::State state, JobEvent event);

std::string_view JobStateName(v1::Job::State state);

}  // namespace bitwright::server
