#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/auth/call_context.h"
#include "server/scheduler/scheduler.h"
#include "server/store/store.h"
#include "server/store/tenant_limits.h"

namespace bitwright::server {

// A tenant as an operator sees it.
struct Tenant {
  std::string name;         // as principals have it: "default", not "tenants/default"
  TenantLimits limits;      // that hold for it now
  bool own_limits = false;  // they were set for it; otherwise they are the server's defaults
  TenantUsage usage;
};

struct TenantPage {
  std::vector<Tenant> tenants;  // by name
  std::string next_page_token;  // empty: there are no more
};

// Tenants with their limits and what they use of them. A tenant needs no row: one that nobody has heard of has the
// default limits and uses nothing, so that limits can be set before its first call. Does not decide who belongs to
// which tenant (auth/), nor who may ask (rpc/). Thread-safe.
class TenantResources {
 public:
  TenantResources(Store& store, Scheduler& scheduler, const TenantLimits& defaults)
      : store_(store), scheduler_(scheduler), defaults_(defaults) {}

  // INVALID_ARGUMENT, reason TENANT_INVALID: the name is none.
  absl::StatusOr<Tenant> Get(const CallContext& call, const std::string& name);
  // Those that have limits of their own, or ever held a blob or had a job. INVALID_ARGUMENT: PAGE_TOKEN_INVALID,
  // PAGE_SIZE_INVALID.
  absl::StatusOr<TenantPage> List(const CallContext& call, int page_size, const std::string& page_token);
  // From now on; durable. A limit below what is used removes and stops nothing, it refuses what comes.
  // INVALID_ARGUMENT: TENANT_INVALID, TENANT_LIMIT_INVALID (negative).
  absl::StatusOr<Tenant> SetLimits(const CallContext& call, const std::string& name, const TenantLimits& limits);

 private:
  Store& store_;
  Scheduler& scheduler_;
  const TenantLimits defaults_;
};

// INVALID_ARGUMENT, reason TENANT_INVALID: not 1 … 63 lower-case letters, digits, '-', '_' and '.'.
absl::Status CheckTenantName(std::string_view name);

}  // namespace bitwright::server
