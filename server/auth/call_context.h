#pragma once

#include <string>

#include "absl/time/time.h"
#include "server/auth/roles.h"

namespace bitwright::server {

// The tenant of all that is made where nobody says who calls.
inline constexpr char kDefaultTenant[] = "default";

// Who somebody proved to be.
struct Principal {
  std::string name;                     // "alice"; "anonymous" on a server that asks nobody
  std::string tenant = kDefaultTenant;  // whose models, jobs and blobs it works with
  Roles roles;
};

// One call: who asks, and how. Made once for unary calls and streams alike (rpc/call_scope.h); every call that answers
// for a resource takes it.
struct CallContext {
  Principal principal;
  std::string peer;  // address, as gRPC gives it
  absl::Time deadline = absl::InfiniteFuture();
  std::string trace_parent;  // the caller's, as version 00 of W3C Trace Context has it; empty: none, or it is not one
  // The traceparent that a job remembers which the call makes: the caller's, or that of the call's own span where the
  // server writes spans; empty: neither.
  std::string work_trace;
  std::string request_id;  // of metadata x-request-id, or made up

  const std::string& tenant() const { return principal.tenant; }
};

}  // namespace bitwright::server
