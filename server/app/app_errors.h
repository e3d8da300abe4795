#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace bitwright::server {

absl::Status ListenAddressInvalid(std::string_view address);        // INVALID_ARGUMENT, LISTEN_INVALID
absl::Status PublicPlaintextRefused(std::string_view address);      // INVALID_ARGUMENT, PUBLIC_PLAINTEXT_REFUSED
absl::Status DataDirUnusable(std::string_view path, int error);     // UNAVAILABLE, DATA_DIR_UNUSABLE
absl::Status DataDirLocked(std::string_view path);                  // FAILED_PRECONDITION, DATA_DIR_LOCKED
absl::Status PortFileUnwritable(std::string_view path, int error);  // UNAVAILABLE, PORT_FILE_UNWRITABLE
absl::Status WorkerBinaryMissing(std::string_view path);            // FAILED_PRECONDITION, WORKER_BINARY_MISSING

}  // namespace bitwright::server
