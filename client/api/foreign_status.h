#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace google::rpc {
class Status;
}

namespace bitwright::client {

// The status as a person may see it: one with a reason and a sentence as it is; any other (a proxy's, the transport's,
// that of a server of another version) with both, and with what to do. Every status that comes from outside passes
// through here once. A reason that is there is kept. `address` is the service's; it may be empty.
absl::Status WithReason(std::string_view address, const absl::Status& status);

// That of a finished job or a rejected model, which must be an error.
absl::Status WithReason(const google::rpc::Status& error);

}  // namespace bitwright::client
