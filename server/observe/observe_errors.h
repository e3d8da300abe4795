#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::server {

// UNAVAILABLE, METRICS_LISTEN_FAILED. `why` says what stood in the way.
absl::Status MetricsListenFailedError(const std::string& address, const std::string& why);

}  // namespace bitwright::server
