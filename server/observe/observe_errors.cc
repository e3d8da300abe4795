#include "server/observe/observe_errors.h"

#include "proto/base/errors.h"

namespace bitwright::server {

absl::Status MetricsListenFailedError(const std::string& address) {
  return MakeError(absl::StatusCode::kUnavailable, "METRICS_LISTEN_FAILED",
                   "cannot serve metrics at '" + address +
                       "': the port is in use or the address not of this machine; give another --metrics-listen "
                       "(port 0: any free one), or \"off\"",
                   {{"address", address}});
}

}  // namespace bitwright::server
