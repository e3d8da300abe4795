#include "server/scheduler/model_cache.h"

#include <optional>

#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {

absl::StatusOr<std::shared_ptr<const SharedModel>> ModelCache::Get(const std::string& name) {
  if (const auto known = models_.Find(name)) return *known;
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
  if (!row->unfinished) models_.Keep(name, shared);
  return std::shared_ptr<const SharedModel>(std::move(shared));
}

}  // namespace bitwright::server
