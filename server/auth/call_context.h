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
  std::string trace_parent;  // W3C traceparent, as it came; empty: none, or it is not one
  std::string request_id;    // of metadata x-request-id, or made up

  const std::string& tenant() const { return principal.tenant; }
};

}  // namespace bitwright::server
