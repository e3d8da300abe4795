#pragma once

#include "server/auth/call_context.h"
#include "server/blobs/held_blobs.h"

namespace bitwright::server {

// Who a caller is among blobs. A worker that submits nothing works for all tenants. Whoever has both roles looks among
// the blobs of its own tenant and brings them to it, but reads what its tasks need, and is not held to the tenant's
// bytes: what it brings may be results, and a job whose results are refused could never end. Its models and jobs are
// (Quotas::CheckBytes).
inline BlobUser BlobUserOf(const CallContext& call) {
  const Roles roles = call.principal.roles;
  const bool works = roles.Has(Role::kWorker);
  if (works && !roles.Has(Role::kSubmitter)) return BlobUser();
  return {.tenant = call.tenant(), .reads_all = works, .has_quota = !works};
}

}  // namespace bitwright::server
