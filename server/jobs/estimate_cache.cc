#include "server/jobs/estimate_cache.h"

#include <optional>
#include <string>

#include "proto/base/message_bytes.h"

namespace bitwright::server {
namespace {

// All that the size follows from, as bytes. A model that jobs may use never changes.
std::string KeyOf(const ResolvedJob& job) {
  v1::JobSpec spec = job.spec;
  spec.clear_display_name();
  spec.clear_labels();
  spec.clear_priority();
  for (auto* texts : {spec.mutable_calibration(), spec.mutable_evaluation()}) {
    for (v1::Data& data : *texts) {
      data.clear_blob();
      data.clear_display_name();
    }
  }
  for (v1::ChoiceFile& file : *spec.mutable_choices()) {
    file.mutable_blob()->clear_sha256();
    file.clear_display_name();
  }
  std::string key = DeterministicBytes(spec) + "\n" + DeterministicBytes(job.recipe);
  for (const ResolvedGoal& goal : job.goals) {
    key += "\n" + DeterministicBytes(goal.goal) + "\n" + DeterministicBytes(goal.recipe);
  }
  return key;
}

}  // namespace

JobSize EstimateCache::Get(const ResolvedJob& job) {
  const std::string key = KeyOf(job);
  if (const std::optional<JobSize> known = sizes_.Find(key)) return *known;
  JobSize size = SizeJob(job);
  sizes_.Keep(key, size);
  return size;
}

}  // namespace bitwright::server
