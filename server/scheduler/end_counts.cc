#include "server/scheduler/end_counts.h"

#include <string_view>

#include "absl/strings/ascii.h"
#include "proto/contract/targets.h"
#include "server/jobs/job_state.h"
#include "server/jobs/verdict.h"

namespace bitwright::server {

void ExpectArtifacts(Metrics& metrics) {
  for (const KnownTarget& target : kTargets) {
    for (const std::string_view verdict : kVerdicts) metrics.ExpectArtifact(target.name, verdict);
  }
}

void CountEnd(Metrics& metrics, const JobWork& work, v1::Job::State state, const std::string& failure) {
  const std::string_view name = JobStateName(state);
  metrics.JobEnded(absl::AsciiStrToLower(absl::string_view(name.data(), name.size())));
  if (state == v1::Job::FAILED) metrics.JobFailed(failure);
  if (state != v1::Job::SUCCEEDED) return;
  for (int g = 0; g < static_cast<int>(work.resolved->goals.size()); ++g) {
    const v1::Goal& goal = work.resolved->goals[static_cast<size_t>(g)].goal;
    const std::optional<v1::Selection>& selection = work.facts.goal(g).selection;
    if (!selection || selection->selected() < 0 || selection->selected() >= selection->candidates_size()) continue;
    const v1::Candidate& selected = selection->candidates(selection->selected());
    metrics.ArtifactMade(goal.target(), VerdictOf(goal.budget(), *selection), selected.kl_divergence().mean(),
                         selected.average_bits());
  }
}

}  // namespace bitwright::server
