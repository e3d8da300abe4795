#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "server/jobs/job_graph.h"

namespace bitwright::server {

// How jobs become tasks: the pure functions of server/jobs, behind an interface so that tests can run small graphs.
// Thread-safe.
class Planner {
 public:
  virtual ~Planner() = default;
  // Of the first `known` nodes the keys alone.
  virtual absl::StatusOr<Expansion> Expand(const ResolvedJob& job, const Facts& facts, size_t known) const = 0;
  virtual Expansion ExpandModel(const v1::Manifest& manifest, const ModelFacts& facts) const = 0;
  virtual absl::StatusOr<ResolvedJob> Resolve(const v1::JobSpec& spec, std::shared_ptr<const v1::Model> model,
                                              const v1::Digest& info, const std::optional<v1::Recipe>& shipped,
                                              Purpose purpose) const = 0;
  // Operations of the whole job by kind of task, as far as the facts lead and predicted beyond.
  virtual CostForecast Forecast(const ResolvedJob& job, const Facts& facts) const = 0;
  virtual v1::Estimate Estimate(const ResolvedJob& job, double flops_per_second) const = 0;
};

}  // namespace bitwright::server
