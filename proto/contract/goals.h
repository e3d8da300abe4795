#pragma once

#include <span>
#include <vector>

#include "bitwright/v1/jobs.pb.h"

// The goals of a job, whether it has one, in fields of its own, or several, in a list. Pure.
namespace bitwright {

// At least one.
std::vector<v1::Goal> GoalsOf(const v1::JobSpec& spec);
// One stands in the job's own fields, several in its list; what was there before goes. At least one.
void SetGoals(std::span<const v1::Goal> goals, v1::JobSpec& spec);

}  // namespace bitwright
