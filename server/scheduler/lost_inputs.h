#pragma once

#include "server/scheduler/results.h"

namespace bitwright::server {

// A leased task found that an input is not there. Where the server has lost it indeed, the task that made it runs again
// and this one waits, without counting an attempt; what no task made (a model's file, a text) cannot be made again: the
// owner fails with BLOB_LOST. Where it is there, the fault was the worker's, and the task is tried again.
void RunSourceAgain(Core& core, TaskBoard::Place place, const absl::Status& error, Answer answer);

}  // namespace bitwright::server
