#include "server/jobs/estimate_cache.h"

#include "proto/base/message_bytes.h"

namespace bitwright::server {
namespace {

// All that the size follows from, as bytes. A model that jobs may use never changes.
std::string KeyOf(const ResolvedJob& job) {
  v1::JobSpec spec = job.spec;
  spec.clear_display_name();
  spec.clear_labels();
  spec.clear_priority();
  for (v1::Data* data : {spec.mutable_calibration(), spec.mutable_evaluation()}) {
    data->clear_blob();
    data->clear_display_name();
  }
  return DeterministicBytes(spec) + "\n" + DeterministicBytes(job.recipe);
}

}  // namespace

JobSize EstimateCache::Get(const ResolvedJob& job) {
  std::string key = KeyOf(job);
  {
    absl::MutexLock lock(&mutex_);
    if (const auto it = by_key_.find(key); it != by_key_.end()) {
      recent_.splice(recent_.begin(), recent_, it->second);
      return it->second->second;
    }
  }
  JobSize size = SizeJob(job);
  absl::MutexLock lock(&mutex_);
  if (by_key_.contains(key)) return size;
  recent_.emplace_front(key, size);
  by_key_[std::move(key)] = recent_.begin();
  if (recent_.size() > kMostKept) {
    by_key_.erase(recent_.back().first);
    recent_.pop_back();
  }
  return size;
}

}  // namespace bitwright::server
