#include "server/store/quotas.h"

#include <optional>

#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/reasons.h"
#include "server/store/store_errors.h"

namespace bitwright::server {

absl::StatusOr<TenantLimits> Quotas::LimitsOf(Snapshot& snapshot, std::string_view tenant) const {
  ABSL_ASSIGN_OR_RETURN(const std::optional<TenantRow> row, snapshot.GetTenant(tenant));
  return row ? row->limits : defaults_;
}

absl::Status Quotas::CheckBytes(Snapshot& snapshot, std::string_view tenant, int64_t more) const {
  ABSL_ASSIGN_OR_RETURN(const TenantLimits limits, LimitsOf(snapshot, tenant));
  if (limits.bytes == 0) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const int64_t used, snapshot.BytesOf(tenant));
  return more <= limits.bytes - used ? absl::OkStatus() : BytesQuotaError(tenant, limits.bytes, used, more);
}

absl::Status Quotas::CheckQueuedJob(Snapshot& snapshot, std::string_view tenant, int queued) const {
  ABSL_ASSIGN_OR_RETURN(const TenantLimits limits, LimitsOf(snapshot, tenant));
  if (limits.queued_jobs == 0) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const int64_t used, snapshot.CountJobsOf(tenant, queued));
  return used < limits.queued_jobs ? absl::OkStatus() : QueuedJobsQuotaError(tenant, limits.queued_jobs, used);
}

absl::Status Quotas::Counted(absl::Status status) const {
  const auto detail = GetErrorDetail(status);
  if (refused_ && detail && detail->reason == Reason::kQuotaExceeded) refused_(detail->metadata.at("quota"));
  return status;
}

}  // namespace bitwright::server
