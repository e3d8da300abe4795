#include "server/scheduler/model_cache.h"

#include <optional>

#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

constexpr size_t kMostKept = 32;  // of about 1 MiB each where models are large

}  // namespace

std::shared_ptr<const SharedModel> ModelCache::Find(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  const auto it = by_name_.find(name);
  if (it == by_name_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, it->second);
  return it->second->second;
}

void ModelCache::Keep(const std::string& name, std::shared_ptr<const SharedModel> model) {
  absl::MutexLock lock(&mutex_);
  if (by_name_.contains(name)) return;
  recent_.emplace_front(name, std::move(model));
  by_name_[name] = recent_.begin();
  if (recent_.size() <= kMostKept) return;
  by_name_.erase(recent_.back().first);
  recent_.pop_back();
}

absl::StatusOr<std::shared_ptr<const SharedModel>> ModelCache::Get(const std::string& name) {
  if (auto known = Find(name)) return known;
  std::optional<ModelRow> row;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, snapshot.GetModel(name));
    return absl::OkStatus();
  }));
  if (!row) return std::shared_ptr<const SharedModel>();
  auto shared = std::make_shared<SharedModel>();
  if (!shared->model.ParseFromString(row->body)) return RowCorruptError(name);
  shared->tenant = row->tenant;
  if (!row->info.empty()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest info, ParseDigest(row->info));
    shared->info = ToProto(info);
  }
  if (!row->unfinished) Keep(name, shared);
  return std::shared_ptr<const SharedModel>(std::move(shared));
}

}  // namespace bitwright::server
