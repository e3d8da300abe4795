#include "client/cli/tenant_commands.h"

#include <span>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "proto/report/number_text.h"
#include "proto/report/text_table.h"

namespace bitwright::client {
namespace {

using Align = TextTable::Align;

std::string BytesOf(int64_t used, int64_t limit) {
  return absl::StrCat(BytesText(used), " of ", limit == 0 ? "any" : BytesText(limit));
}

std::string CountOf(int64_t used, int64_t limit) {
  return absl::StrCat(used, " of ", limit == 0 ? "any" : absl::StrCat(limit));
}

std::string TenantTable(std::span<const v1::Tenant> tenants) {
  TextTable table({{"tenant", Align::kLeft}, {"stored"}, {"queued jobs"}, {"running jobs"}, {"limits", Align::kLeft}});
  for (const v1::Tenant& tenant : tenants) {
    const v1::TenantUsage& used = tenant.usage();
    const v1::TenantLimits& limits = tenant.limits();
    table.Add({Printable(tenant.name(), 63), BytesOf(used.bytes(), limits.bytes()),
               CountOf(used.queued_jobs(), limits.queued_jobs()), CountOf(used.running_jobs(), limits.running_jobs()),
               tenant.own_limits() ? "its own" : "the server's"});
  }
  return table.ToText(160);
}

void Show(const CommandContext& context, const v1::Tenant& tenant) {
  context.console.Result(TenantTable({&tenant, 1}), tenant);
}

}  // namespace

absl::StatusOr<ExitCode> TenantList(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const auto tenants, client.ListTenants(context.options.most));
  v1::ListTenantsResponse all;
  all.mutable_tenants()->Add(tenants.begin(), tenants.end());
  context.console.Result(TenantTable(tenants), all);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> TenantShow(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Tenant tenant, client.GetTenant(context.options.name));
  Show(context, tenant);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> TenantLimit(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Tenant before, client.GetTenant(context.options.name));
  v1::TenantLimits limits = before.limits();
  const TenantLimitOptions& wanted = context.options.tenant_limits;
  if (wanted.bytes) limits.set_bytes(*wanted.bytes);
  if (wanted.queued_jobs) limits.set_queued_jobs(*wanted.queued_jobs);
  if (wanted.running_jobs) limits.set_running_jobs(*wanted.running_jobs);
  ABSL_ASSIGN_OR_RETURN(const v1::Tenant after, client.UpdateTenantLimits(context.options.name, limits));
  Show(context, after);
  return ExitCode::kOk;
}

}  // namespace bitwright::client
