#pragma once

#include "server/scheduler/results.h"

namespace bitwright::server {

// How a model or job ends. From the call on nothing of it is begun; when its last write is answered its end is written,
// and once that is durable it is forgotten and `answer` (may be null) is told.

// All is done: READY or SUCCEEDED.
void FinishOwner(Core& core, Owner& owner);
// REJECTED or FAILED with this error. Tried again for as long as the store refuses it.
void FailOwner(Core& core, Owner& owner, const absl::Status& error, Answer answer = nullptr);
// A job becomes CANCELLED. Where the store refuses, `answer` is told so and the job goes on.
void CancelJob(Core& core, Owner& owner, const std::string& etag, Answer answer);

}  // namespace bitwright::server
