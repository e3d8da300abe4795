#include "server/rpc/scaled_object.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "proto/base/status_macros.h"
#include "proto/contract/compute_class.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {
namespace {

constexpr char kDevice[] = "device";
constexpr char kComputeClass[] = "computeClass";
constexpr char kCountUnpinned[] = "countUnpinned";
constexpr char kTasksPerWorker[] = "tasksPerWorker";
constexpr int64_t kMostTasksPerWorker = 1000;
constexpr size_t kLongestName = 63;  // of a label in Kubernetes

// KEDA hands on all metadata of a trigger, also what is for itself
// (https://keda.sh/docs/latest/scalers/external-push/).
constexpr std::string_view kOfKeda[] = {"scalerAddress", "enableTLS",    "unsafeSsl",   "caCert",
                                        "tlsClientCert", "tlsClientKey", "tlsCertFile", "tlsKeyFile"};

bool IsName(std::string_view text, bool with_dash) {
  return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (with_dash && c == '-');
  });
}

// −1: it is no number.
int64_t NumberOf(std::string_view text) {
  int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

absl::Status Read(std::string_view key, const std::string& value, ScaledObject& object) {
  if (key == kDevice) {
    if (!IsName(value, false)) {
      return ScalerMetadataInvalidError(key, value, "a device of small letters and digits, such as cpu");
    }
    object.pool.device = value;
  } else if (key == kComputeClass) {
    if (!IsName(value, true)) {
      return ScalerMetadataInvalidError(key, value, "a compute class as `bitwright worker list` shows it");
    }
    object.pool.compute_class = value;
  } else if (key == kCountUnpinned) {
    if (value != "true" && value != "false") return ScalerMetadataInvalidError(key, value, "true or false");
    object.pool.counts_unpinned = value == "true";
  } else if (key == kTasksPerWorker) {
    object.tasks_per_worker = NumberOf(value);
    if (object.tasks_per_worker < 1 || object.tasks_per_worker > kMostTasksPerWorker) {
      return ScalerMetadataInvalidError(key, value, "a whole number from 1 to " + std::to_string(kMostTasksPerWorker));
    }
  } else if (std::find(std::begin(kOfKeda), std::end(kOfKeda), key) == std::end(kOfKeda)) {
    return ScalerMetadataUnknownError(key);
  }
  return absl::OkStatus();
}

}  // namespace

std::string ScaledObject::MetricName() const {
  return "bitwright-tasks-" + (pool.compute_class.empty() ? pool.device : pool.compute_class);
}

absl::StatusOr<ScaledObject> ParseScaledObject(const externalscaler::ScaledObjectRef& reference) {
  ScaledObject object;
  for (const auto& [key, value] : reference.scalermetadata()) ABSL_RETURN_IF_ERROR(Read(key, value, object));
  WorkerPool& pool = object.pool;
  if (pool.device.empty()) return ScalerMetadataMissingError(kDevice, "device: cpu");
  if (!pool.compute_class.empty() && DeviceOfClass(pool.compute_class) != pool.device) {
    return ScalerMetadataInvalidError(kComputeClass, pool.compute_class, "a compute class of device " + pool.device);
  }
  return object;
}

}  // namespace bitwright::server
