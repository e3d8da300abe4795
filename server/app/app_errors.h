#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace bitwright::server {

absl::Status ListenAddressInvalidError(std::string_view address);  // INVALID_ARGUMENT, LISTEN_INVALID
absl::Status WebAddressInvalidError(std::string_view address);     // INVALID_ARGUMENT, LISTEN_INVALID
// INVALID_ARGUMENT, PUBLIC_PLAINTEXT_REFUSED. `missing`: the options that would allow it.
absl::Status PublicPlaintextRefusedError(std::string_view address, std::string_view missing);
absl::Status WatermarkInvalidError(std::string_view text);                 // INVALID_ARGUMENT, WATERMARK_INVALID
absl::Status WatermarksCrossedError();                                     // INVALID_ARGUMENT, WATERMARKS_CROSSED
absl::Status DataDirUnusableError(std::string_view path, int error);       // UNAVAILABLE, DATA_DIR_UNUSABLE
absl::Status DataFileUnwritableError(const std::string& path, int error);  // UNAVAILABLE, DATA_DIR_UNUSABLE
absl::Status DataDirLockedError(std::string_view path);                    // FAILED_PRECONDITION, DATA_DIR_LOCKED
absl::Status PortFileUnwritableError(std::string_view path, int error);    // UNAVAILABLE, PORT_FILE_UNWRITABLE
absl::Status WorkerBinaryMissingError(std::string_view path);              // FAILED_PRECONDITION, WORKER_BINARY_MISSING

}  // namespace bitwright::server
