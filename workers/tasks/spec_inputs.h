#pragma once

#include "absl/status/status.h"
#include "bitwright/v1/tasks.pb.h"

namespace bitwright::worker {

// Whether the inputs of a spec are those of its kind, as bitwright/v1/tasks.proto lists them: sorted, each once, all
// that are needed, none that is not, numbered ones without gaps. The numbers of the params must have been checked.
// TASK_SPEC_INVALID (field "inputs"), TASK_INPUT_MISSING.
absl::Status CheckInputs(const v1::TaskSpec& spec);

}  // namespace bitwright::worker
