#pragma once

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// The spans of a job, of its stages and of the attempts of its tasks, in the trace that the job remembers
// (Job.traceparent). The job's is a child of the span that is named there, its stages are children of the job, attempts
// are children of their stage. Ids of jobs and stages follow from names, and their times from rows, so that a restart
// of the server neither parts nor repeats them. Each is handed on once, when its end is durable, without the lock. All
// of them do nothing for models and for jobs that are not traced.

// In which trace the job's spans are; nothing: none are written, of this job or of any.
std::optional<TraceContext> TraceOf(const Core& core, const v1::Job& job);

// How an attempt ended.
struct AttemptEnd {
  absl::Time time;
  std::string_view outcome;  // "done", "failed" (by its own fault), "released" (it may be tried again), "cancelled"
  bool cached = false;       // nothing ran: the result was in the action cache
  absl::Status error;        // what kept it from being done; OK: nothing did
};

// While the task's row is still the one of the attempt.
void TellAttempt(Core& core, const Owner& owner, const LiveTask& task, const AttemptEnd& end);

// The job has ended as `job` says: its span, those of its stages, and of the attempts that ended with it.
void TellEnd(Core& core, const Owner& owner, const v1::Job& job);
// The same of a job of which no tasks are known.
void TellJob(Core& core, const v1::Job& job);

}  // namespace bitwright::server
