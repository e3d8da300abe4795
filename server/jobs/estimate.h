#pragma once

#include "server/jobs/job_graph.h"

namespace bitwright::server {

// Preflight: from sizes alone. `flops_per_second` is of the worker that would run it.
v1::Estimate EstimateJob(const ResolvedJob& job, double flops_per_second);

// What the whole job costs: what follows from the facts, and for the rest what EstimateJob assumes. Precondition:
// Expand accepts the facts.
CostForecast ForecastCosts(const ResolvedJob& job, const Facts& facts);

}  // namespace bitwright::server
