#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "keda/externalscaler.pb.h"
#include "server/scheduler/demand.h"

namespace bitwright::server {

// What the metadata of a KEDA trigger says; proto/keda/externalscaler.proto lists it.
struct ScaledObject {
  WorkerPool pool;
  int64_t tasks_per_worker = 1;

  // Of the one metric, the same for equal metadata: letters, digits and '-', as Kubernetes wants it.
  std::string MetricName() const;
};

// INVALID_ARGUMENT, reason SCALER_METADATA_INVALID: names the key, what it may be and what to do.
absl::StatusOr<ScaledObject> ParseScaledObject(const externalscaler::ScaledObjectRef& reference);

}  // namespace bitwright::server
