#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace bitwright::server {

absl::Status CallCancelledError();   // CANCELLED, CALL_CANCELLED
absl::Status DeadlinePassedError();  // DEADLINE_EXCEEDED, DEADLINE_PASSED
// RESOURCE_EXHAUSTED, LANE_FULL: as many of `what` as a lane takes; the same call may succeed later.
absl::Status LaneFullError(std::string_view lane, std::string_view what, int limit);
absl::Status UploadIdleError(absl::Duration limit);                    // UNAVAILABLE, UPLOAD_IDLE
absl::Status RequestMalformedError(std::string_view message);          // INVALID_ARGUMENT, REQUEST_MALFORMED
absl::Status TooManyDigestsError(size_t count);                        // INVALID_ARGUMENT, LIMIT_EXCEEDED
absl::Status UploadNameChangedError(std::string_view name);            // INVALID_ARGUMENT, UPLOAD_NAME_CHANGED
absl::Status UploadOffsetWrongError(int64_t given, int64_t expected);  // INVALID_ARGUMENT, UPLOAD_OFFSET_WRONG
absl::Status ReadLimitNegativeError(int64_t limit);                    // INVALID_ARGUMENT, READ_LIMIT_INVALID
absl::Status ReadOffsetOutsideError(int64_t offset, int64_t size);     // OUT_OF_RANGE, READ_OFFSET_INVALID
absl::Status ListenFailedError(std::string_view address);              // UNAVAILABLE, LISTEN_FAILED
absl::Status ScalerListenFailedError(std::string_view address);        // UNAVAILABLE, SCALER_LISTEN_FAILED
// INVALID_ARGUMENT, SCALER_METADATA_INVALID, of the metadata of a KEDA trigger: a value that is not `wanted`, a key
// that must be there (`example`: how), a key that means nothing here.
absl::Status ScalerMetadataInvalidError(std::string_view key, std::string_view value, std::string_view wanted);
absl::Status ScalerMetadataMissingError(std::string_view key, std::string_view example);
absl::Status ScalerMetadataUnknownError(std::string_view key);
// INVALID_ARGUMENT, SCALER_METRIC_UNKNOWN
absl::Status ScalerMetricUnknownError(std::string_view name, std::string_view expected);

// The status with an ErrorInfo, whose reason is the code's name when it had none.
absl::Status WithDetailError(const absl::Status& status);

}  // namespace bitwright::server
