#pragma once

#include <string>
#include <vector>

#include "bitwright/v1/plans.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "workers/targets/target.h"

namespace bitwright::worker {

// The profiles under workers/targets/consumers of those programs that load the target's artifacts, in order of name.
const std::vector<v1::ConsumerProfile>& ProfilesOf(const Target& target);

// What a consumer can load of the model as the target describes it: refused where a unit's shape does not fit.
v1::ConsumerInfo DescribeConsumer(const v1::ConsumerProfile& profile, const Target& target, const v1::ModelInfo& info,
                                  const v1::TargetInfo& described);

// Which programs load an artifact of this plan, by rule: those that load the model and every format in the plan.
std::vector<v1::ConsumerVerdict> VerdictsOn(const v1::Plan& plan, const v1::TargetInfo& described);

}  // namespace bitwright::worker
