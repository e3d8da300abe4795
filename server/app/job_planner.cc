#include "server/app/job_planner.h"

#include "server/jobs/estimate_cache.h"
#include "server/jobs/expand.h"
#include "server/jobs/expand_model.h"
#include "server/jobs/resolve.h"

namespace bitwright::server {
namespace {

class JobPlanner final : public Planner {
 public:
  absl::StatusOr<Expansion> Expand(const ResolvedJob& job, const Facts& facts, size_t known) const override {
    return server::Expand(job, facts, {.known = known});
  }
  Expansion ExpandModel(const v1::Manifest& manifest, const ModelFacts& facts) const override {
    return server::ExpandModel(manifest, facts);
  }
  absl::StatusOr<ResolvedJob> Resolve(const v1::JobSpec& spec, std::shared_ptr<const v1::Model> model,
                                      const v1::Digest& info, const std::optional<v1::Recipe>& shipped,
                                      Purpose purpose) const override {
    return server::Resolve(spec, std::move(model), info, shipped, purpose);
  }
  CostForecast Forecast(const ResolvedJob& job, const Facts& facts) const override { return ForecastCosts(job, facts); }
  v1::Estimate Estimate(const ResolvedJob& job, double flops_per_second) const override {
    return EstimateAt(sizes_.Get(job), flops_per_second);
  }

 private:
  mutable EstimateCache sizes_;
};

}  // namespace

std::unique_ptr<Planner> MakeJobPlanner() { return std::make_unique<JobPlanner>(); }

}  // namespace bitwright::server
