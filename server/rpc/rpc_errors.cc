#include "server/rpc/rpc_errors.h"

#include <string>

#include "proto/base/errors.h"
#include "proto/contract/limits.h"
#include "proto/contract/reasons.h"

namespace bitwright::server {
namespace {

absl::Status ScalerMetadataError(std::string_view key, const std::string& what) {
  const std::string name(key.substr(0, 100));
  return MakeError(absl::StatusCode::kInvalidArgument, "SCALER_METADATA_INVALID",
                   "the trigger's metadata '" + name + "' " + what, {{"key", name}});
}

}  // namespace

absl::Status CallCancelledError() {
  return MakeError(absl::StatusCode::kCancelled, "CALL_CANCELLED",
                   "the caller cancelled the call; nothing is to be done");
}

absl::Status DeadlinePassedError() {
  return MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_PASSED",
                   "the call's deadline had passed before it was run; give it more time");
}

absl::Status LaneFullError(std::string_view lane, std::string_view what, int limit) {
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kLaneFull,
                   "the server is busy: lane '" + std::string(lane) + "' has " + std::to_string(limit) + " " +
                       std::string(what) + ", its limit; try again in a moment",
                   {{"lane", std::string(lane)}, {"limit", std::to_string(limit)}});
}

absl::Status UploadIdleError(absl::Duration limit) {
  return MakeError(absl::StatusCode::kUnavailable, "UPLOAD_IDLE",
                   "the upload brought no bytes for " + absl::FormatDuration(limit) +
                       "; what has come is kept, ask QueryWriteStatus and resume there");
}

absl::Status RequestMalformedError(std::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, "REQUEST_MALFORMED",
                   "the bytes of the request are no " + std::string(message) +
                       " message; use a client that is made from this server's .proto files",
                   {{"message", std::string(message)}});
}

absl::Status TooManyDigestsError(size_t count) {
  return MakeError(absl::StatusCode::kInvalidArgument, "LIMIT_EXCEEDED",
                   std::to_string(count) + " digests were given, the limit is " +
                       std::to_string(limits::kMaxFindMissingDigests) + "; ask in parts",
                   {{"limit", std::to_string(limits::kMaxFindMissingDigests)}});
}

absl::Status UploadNameChangedError(std::string_view name) {
  return MakeError(absl::StatusCode::kInvalidArgument, "UPLOAD_NAME_CHANGED",
                   "a later message of the upload names '" + std::string(name.substr(0, 200)) +
                       "'; leave resource_name empty after the first message",
                   {});
}

absl::Status UploadOffsetWrongError(int64_t given, int64_t expected) {
  return MakeError(absl::StatusCode::kInvalidArgument, "UPLOAD_OFFSET_WRONG",
                   "write_offset is " + std::to_string(given) + ", the upload holds " + std::to_string(expected) +
                       " bytes; ask QueryWriteStatus and resume there",
                   {{"given", std::to_string(given)}, {"expected", std::to_string(expected)}});
}

absl::Status ReadLimitNegativeError(int64_t limit) {
  return MakeError(absl::StatusCode::kInvalidArgument, "READ_LIMIT_INVALID",
                   "read_limit is " + std::to_string(limit) + "; give 0 to read to the end");
}

absl::Status ReadOffsetOutsideError(int64_t offset, int64_t size) {
  return MakeError(absl::StatusCode::kOutOfRange, "READ_OFFSET_INVALID",
                   "read_offset is " + std::to_string(offset) + ", the blob has " + std::to_string(size) +
                       " bytes; give an offset within",
                   {{"size", std::to_string(size)}});
}

absl::Status ListenFailedError(std::string_view address) {
  return MakeError(absl::StatusCode::kUnavailable, "LISTEN_FAILED",
                   "cannot listen at '" + std::string(address) +
                       "': the address is in use (a bitwrightd serves metrics at the port after its own) or "
                       "not of this machine; give another --listen",
                   {{"address", std::string(address)}});
}

absl::Status ScalerListenFailedError(std::string_view address) {
  return MakeError(absl::StatusCode::kUnavailable, "SCALER_LISTEN_FAILED",
                   "cannot listen at '" + std::string(address) +
                       "': the address is in use or not of this machine; give another --scaler-listen",
                   {{"address", std::string(address)}});
}

absl::Status ScalerMetadataInvalidError(std::string_view key, std::string_view value, std::string_view wanted) {
  return ScalerMetadataError(key, "is '" + std::string(value.substr(0, 100)) + "'; give " + std::string(wanted));
}

absl::Status ScalerMetadataMissingError(std::string_view key, std::string_view example) {
  return ScalerMetadataError(key, "is missing; give what the workers compute on, as in " + std::string(example));
}

absl::Status ScalerMetadataUnknownError(std::string_view key) {
  return ScalerMetadataError(
      key, "means nothing here; give device, and if need be computeClass, countUnpinned and tasksPerWorker");
}

absl::Status ScalerMetricUnknownError(std::string_view name, std::string_view expected) {
  return MakeError(absl::StatusCode::kInvalidArgument, "SCALER_METRIC_UNKNOWN",
                   "metricName is '" + std::string(name.substr(0, 100)) + "', that of this metadata is '" +
                       std::string(expected) + "'; ask GetMetricSpec for it",
                   {{"expected", std::string(expected)}});
}

absl::Status WithDetailError(const absl::Status& status) {
  if (status.ok() || GetErrorDetail(status)) return status;
  absl::Status detailed =
      MakeError(status.code(), absl::StatusCodeToString(status.code()), std::string(status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { detailed.SetPayload(url, payload); });
  return detailed;
}

}  // namespace bitwright::server
