#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "server/jobs/job_graph.h"

namespace bitwright::server {

// Whether the model was inspected by a version that did not note which files it consists of; no job can use it.
bool IsOutdated(const v1::Model& model);

// Fills defaults in and checks a spec against its model and recipe; everything that can be refused before any task
// runs. `shipped` is the recipe that the spec names, or, for an inline recipe, the shipped one of the same id: equal
// parts make it that one, others add "-edited" to its name. A preflight without a budget has the largest. Errors as in
// JobService.CreateJob.
absl::StatusOr<ResolvedJob> Resolve(const v1::JobSpec& spec, std::shared_ptr<const v1::Model> shared,
                                    const v1::Digest& info, const std::optional<v1::Recipe>& shipped,
                                    Purpose purpose = Purpose::kRun);

// A job that was resolved before, from what is stored of it. MODEL_OUTDATED: nothing is known of a target's view of the
// model; CONSUMER_UNKNOWN, CONSUMER_CANNOT_LOAD.
absl::StatusOr<ResolvedJob> Restore(const v1::JobSpec& spec, const v1::Recipe& recipe,
                                    std::shared_ptr<const v1::Model> model, const v1::Digest& info);

}  // namespace bitwright::server
