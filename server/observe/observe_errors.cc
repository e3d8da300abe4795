#include "server/observe/observe_errors.h"

#include "proto/base/errors.h"

namespace bitwright::server {

absl::Status MetricsListenFailedError(const std::string& address, const std::string& why) {
  return MakeError(absl::StatusCode::kUnavailable, "METRICS_LISTEN_FAILED",
                   "cannot serve metrics at '" + address + "': " + why + "; give another --metrics-listen, or \"off\"",
                   {{"address", address}});
}

}  // namespace bitwright::server
