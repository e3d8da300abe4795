#pragma once

#include "server/jobs/job_graph.h"

namespace bitwright::server {

// What a job needs, from sizes alone, whoever runs it.
struct JobSize {
  v1::Estimate estimate;  // without seconds
  double flops = 0;
};
JobSize SizeJob(const ResolvedJob& job);

// With the seconds of a worker of that speed.
v1::Estimate EstimateAt(const JobSize& size, double flops_per_second);

// Preflight: both.
v1::Estimate EstimateJob(const ResolvedJob& job, double flops_per_second);

// What the whole job costs: what follows from the facts, and for the rest what EstimateJob assumes. Precondition:
// Expand accepts the facts.
CostForecast ForecastCosts(const ResolvedJob& job, const Facts& facts);

}  // namespace bitwright::server
