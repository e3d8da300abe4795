#pragma once

#include "absl/status/status.h"

namespace google::rpc {
class Status;
}

namespace bitwright {

// A status as messages carry it, details included.
google::rpc::Status ToProto(const absl::Status& status);
absl::Status FromProto(const google::rpc::Status& status);

}  // namespace bitwright
