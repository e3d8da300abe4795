#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace bitwright::server {

// INTERNAL, reason STORE_FAILED: `what` failed with the database's own words.
absl::Status StoreFailedError(std::string_view what, std::string_view why);
// RESOURCE_EXHAUSTED, reason DISK_FULL.
absl::Status StoreDiskFullError(std::string_view what);
// FAILED_PRECONDITION, reason STORE_NEWER: the file was written by a later version of the program.
absl::Status StoreNewerError(std::string_view path, int found, int known);

}  // namespace bitwright::server
