#pragma once

#include <string>

#include "bitwright/v1/jobs.pb.h"
#include "server/observe/metrics.h"
#include "server/scheduler/owner.h"

namespace bitwright::server {

// Makes the series of artifacts that are bounded in number, so that the first artifact of a kind is an increase.
void ExpectArtifacts(Metrics& metrics);

// Counts a job that ended: its outcome, why it failed, and what its artifacts are worth. `failure`: the reason of its
// error.
void CountEnd(Metrics& metrics, const JobWork& work, v1::Job::State state, const std::string& failure);

}  // namespace bitwright::server
