#include "server/resources/cache_entries.h"

#include <optional>
#include <string_view>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "server/resources/resource_errors.h"

namespace bitwright::server {
namespace {

absl::Status CheckTaskDigest(std::string_view digest) {
  return IsSha256Hex(digest) ? absl::OkStatus() : TaskDigestInvalidError(digest);
}

std::string TenantOf(const std::string& tenant) { return tenant.empty() ? kDefaultTenant : tenant; }

absl::StatusOr<std::string> Kept(Snapshot& snapshot, const std::string& digest, const std::string& tenant) {
  ABSL_ASSIGN_OR_RETURN(std::optional<std::string> result, snapshot.GetAction(tenant, digest));
  if (!result) return CacheEntryNotFoundError(digest, tenant);
  return *std::move(result);
}

absl::StatusOr<bool> AllHeld(Snapshot& snapshot, const v1::TaskResult& result) {
  for (const v1::TaskOutput& output : result.outputs()) {
    const absl::StatusOr<BlobDigest> digest = FromProto(output.digest());
    if (!digest.ok()) return false;
    ABSL_ASSIGN_OR_RETURN(const bool held, snapshot.HasBlob(*digest));
    if (!held) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<v1::CacheEntry> CacheEntries::Get(const CallContext&, const std::string& digest,
                                                 const std::string& tenant) {
  ABSL_RETURN_IF_ERROR(CheckTaskDigest(digest));
  v1::CacheEntry entry;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::string result, Kept(snapshot, digest, TenantOf(tenant)));
    if (!entry.mutable_result()->ParseFromString(result)) {  // such an entry is passed over
      entry.clear_result();
      return absl::OkStatus();
    }
    ABSL_ASSIGN_OR_RETURN(const bool usable, AllHeld(snapshot, entry.result()));
    entry.set_usable(usable);
    return absl::OkStatus();
  }));
  entry.set_digest(digest);
  entry.set_tenant(TenantOf(tenant));
  return entry;
}

absl::Status CacheEntries::Delete(const CallContext& call, const std::string& digest, const std::string& tenant) {
  ABSL_RETURN_IF_ERROR(CheckTaskDigest(digest));
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_RETURN_IF_ERROR(Kept(tx, digest, TenantOf(tenant)).status());
    return tx.DeleteAction(TenantOf(tenant), digest);
  }));
  LOG(INFO).With("digest", digest).With("by", call.principal.name) << "dropped from the action cache";
  return absl::OkStatus();
}

}  // namespace bitwright::server
