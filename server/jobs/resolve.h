#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "server/jobs/job_graph.h"

namespace bitwright::server {

// Fills defaults in and checks a spec against its model and recipe; everything that can be refused before any task
// runs. Errors as in JobService.CreateJob.
absl::StatusOr<ResolvedJob> Resolve(const v1::JobSpec& spec, const v1::Model& model, const v1::Digest& info,
                                    const std::optional<v1::Recipe>& named_recipe);

}  // namespace bitwright::server
