#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "proto/base/clock.h"
#include "server/auth/call_context.h"
#include "server/blobs/held_blobs.h"
#include "server/resources/recipes.h"
#include "server/resources/requests.h"
#include "server/scheduler/planner.h"
#include "server/scheduler/scheduler.h"
#include "server/store/quotas.h"
#include "server/store/store.h"

namespace bitwright::server {

// Jobs as clients name them: checked and queued, found, listed, cancelled, deleted, each for the caller's tenant alone:
// the names of others' jobs are names of nothing. The scheduler runs them. Errors as in JobService. Thread-safe.
class JobResources {
 public:
  JobResources(Store& store, HeldBlobs& blobs, Scheduler& scheduler, const Planner& planner,
               const RecipeResources& recipes, const Clock& clock, Quotas quotas = Quotas())
      : store_(store),
        blobs_(blobs),
        scheduler_(scheduler),
        planner_(planner),
        recipes_(recipes),
        clock_(clock),
        quotas_(std::move(quotas)) {}

  // Gives jobs of before schema version 3 their place in the queue. At the start, before the scheduler's.
  absl::Status IndexQueue();

  absl::StatusOr<v1::Job> Create(const CallContext& call, const v1::CreateJobRequest& request);
  absl::StatusOr<v1::Job> Retry(const CallContext& call, const v1::RetryJobRequest& request);
  absl::StatusOr<v1::Job> Get(const CallContext& call, const std::string& name);
  absl::StatusOr<v1::ListJobsResponse> List(const CallContext& call, const v1::ListJobsRequest& request);
  // `etag`: only if the job still has it; empty: in any case.
  absl::StatusOr<v1::Job> Cancel(const CallContext& call, const std::string& name, const std::string& etag = {});
  absl::Status Delete(const CallContext& call, const std::string& name, const std::string& etag = {});
  absl::StatusOr<v1::Report> Report(const CallContext& call, const std::string& name, int goal);
  // OK where the job is the caller's tenant's. NAME_INVALID, JOB_NOT_FOUND.
  absl::Status CheckVisible(const CallContext& call, const std::string& name) { return Row(call, name).status(); }

 private:
  absl::StatusOr<JobRow> Row(const CallContext& call, const std::string& name);
  v1::Job FromRow(const JobRow& row);
  absl::StatusOr<ResolvedJob> ResolveSpec(const CallContext& call, const v1::JobSpec& spec, Purpose purpose);
  absl::StatusOr<std::optional<v1::Recipe>> ShippedRecipe(const v1::JobSpec& spec) const;
  absl::StatusOr<v1::Job> Validate(const CallContext& call, const v1::JobSpec& spec);
  v1::Job NewJob(const ResolvedJob& resolved);
  // The resource of an earlier equal call.
  absl::StatusOr<std::optional<std::string>> Earlier(const RequestKey& key);
  // The job of an earlier equal call, or a new one; `spec_of` is asked for the latter only.
  absl::StatusOr<v1::Job> CreateAs(const CallContext& call, const RequestKey& key,
                                   const std::function<absl::StatusOr<v1::JobSpec>()>& spec_of);

  Store& store_;
  HeldBlobs& blobs_;
  Scheduler& scheduler_;
  const Planner& planner_;
  const RecipeResources& recipes_;
  const Clock& clock_;
  const Quotas quotas_;
};

}  // namespace bitwright::server
