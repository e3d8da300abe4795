#pragma once

#include "absl/status/status.h"

namespace grpc {
class Status;
}

namespace bitwright {

// Conversion at the edge of the network. Details travel as a serialized google.rpc.Status, as grpc-status-details-bin.
grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace bitwright
