#pragma once

#include "server/jobs/job_graph.h"

namespace bitwright::server {

// Preflight: from sizes alone. `flops_per_second` is of the worker that would run it.
v1::Estimate EstimateJob(const ResolvedJob& job, double flops_per_second);

}  // namespace bitwright::server
