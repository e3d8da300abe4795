#pragma once

#include <vector>

#include "absl/status/status.h"
#include "bitwright/v1/jobs.pb.h"

namespace bitwright::server {

// What the artifacts of a job are to be: the goals that its spec lists, or the one that its own fields are.
std::vector<v1::Goal> GoalsOf(const v1::JobSpec& spec);

// The spec of a job that has this goal alone.
v1::JobSpec WithGoal(v1::JobSpec spec, const v1::Goal& goal);

// GOALS_INVALID: goals beside a goal of the spec's own, too many, or two alike.
absl::Status CheckGoals(const v1::JobSpec& spec);

}  // namespace bitwright::server
