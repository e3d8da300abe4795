#pragma once

#include "absl/status/status.h"
#include "bitwright/v1/jobs.pb.h"
#include "proto/contract/goals.h"

namespace bitwright::server {

// The spec of a job that has this goal alone.
v1::JobSpec WithGoal(v1::JobSpec spec, const v1::Goal& goal);

// GOALS_INVALID: goals beside a goal of the spec's own, too many, or two alike.
absl::Status CheckGoals(const v1::JobSpec& spec);

}  // namespace bitwright::server
