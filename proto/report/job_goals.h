#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bitwright/v1/jobs.pb.h"
#include "proto/contract/goals.h"

// What becomes of the goals of a job, and what they are called. Pure.
namespace bitwright {

// What each goal will come to, in order. Of a service that does not say it of each: what it says of the job.
std::vector<v1::GoalEstimate> EstimatesOf(const v1::Job& job);

// What each goal came to, in order; empty: the job has not SUCCEEDED.
std::vector<v1::Outcome> OutcomesOf(const v1::Job& job);

// Short names, one for each goal and no two alike: its budget, behind its target where there are several
// ("gguf-4.25bpw"), before its consumer where these alone tell two apart.
std::vector<std::string> GoalNames(std::span<const v1::Goal> goals);

// For a person: "gguf, 4.25 bits per weight".
std::string GoalText(const v1::Goal& goal);

// A name as a folder: letters, digits, '.', '-' and '_' alone, not beginning with a '.'. "kld=0.05" becomes "kld0.05",
// "ppl=1%" "ppl1pct".
std::string GoalFolder(std::string_view name);

}  // namespace bitwright
