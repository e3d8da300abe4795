#include "server/resources/tenants.h"

#include <optional>

#include "bitwright/v1/jobs.pb.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/principals.h"
#include "server/resources/pages.h"
#include "server/resources/resource_errors.h"

namespace bitwright::server {
namespace {

constexpr char kQuery[] = "ListTenants";

absl::StatusOr<Tenant> Read(Snapshot& snapshot, const std::string& name, const TenantLimits& defaults) {
  Tenant tenant{.name = name, .limits = defaults};
  ABSL_ASSIGN_OR_RETURN(const std::optional<TenantRow> row, snapshot.GetTenant(name));
  if (row) tenant.limits = row->limits;
  tenant.own_limits = row.has_value();
  ABSL_ASSIGN_OR_RETURN(tenant.usage.bytes, snapshot.BytesOf(name));
  ABSL_ASSIGN_OR_RETURN(tenant.usage.queued_jobs, snapshot.CountJobsOf(name, v1::Job::QUEUED));
  ABSL_ASSIGN_OR_RETURN(tenant.usage.running_jobs, snapshot.CountJobsOf(name, v1::Job::RUNNING));
  return tenant;
}

}  // namespace

absl::Status CheckTenantName(std::string_view name) {
  return IsPrincipalName(name) ? absl::OkStatus() : TenantInvalidError(name);
}

absl::StatusOr<Tenant> TenantResources::Get(const CallContext&, const std::string& name) {
  ABSL_RETURN_IF_ERROR(CheckTenantName(name));
  Tenant tenant;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(tenant, Read(snapshot, name, defaults_));
    return absl::OkStatus();
  }));
  return tenant;
}

absl::StatusOr<TenantPage> TenantResources::List(const CallContext&, int page_size, const std::string& page_token) {
  ABSL_ASSIGN_OR_RETURN(const NamedPage page, ParseNamedPage(page_size, page_token, kQuery));
  TenantPage found;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> names, snapshot.ListTenants(page.beyond, page.size + 1));
    for (const std::string& name : names) {
      if (static_cast<int>(found.tenants.size()) == page.size) {
        found.next_page_token = NamedPageToken(found.tenants.back().name, kQuery);
        return absl::OkStatus();
      }
      ABSL_ASSIGN_OR_RETURN(Tenant tenant, Read(snapshot, name, defaults_));
      found.tenants.push_back(std::move(tenant));
    }
    return absl::OkStatus();
  }));
  return found;
}

absl::StatusOr<Tenant> TenantResources::SetLimits(const CallContext& call, const std::string& name,
                                                  const TenantLimits& limits) {
  ABSL_RETURN_IF_ERROR(CheckTenantName(name));
  if (limits.bytes < 0) return TenantLimitInvalidError("bytes", limits.bytes);
  if (limits.queued_jobs < 0) return TenantLimitInvalidError("queued_jobs", limits.queued_jobs);
  if (limits.running_jobs < 0) return TenantLimitInvalidError("running_jobs", limits.running_jobs);
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) { return tx.PutTenant({name, limits}); }));
  scheduler_.LimitTenant(name, limits.running_jobs);
  LOG(INFO).With("tenant", name).With("principal", call.principal.name)
      << "limits set: " << limits.bytes << " bytes, " << limits.queued_jobs << " queued jobs, " << limits.running_jobs
      << " running jobs";
  return Get(call, name);
}

}  // namespace bitwright::server
