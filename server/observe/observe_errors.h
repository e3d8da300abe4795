#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::server {

// UNAVAILABLE, METRICS_LISTEN_FAILED.
absl::Status MetricsListenFailedError(const std::string& address);

}  // namespace bitwright::server
