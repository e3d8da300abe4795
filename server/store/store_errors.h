#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "proto/contract/digest.h"

namespace bitwright::server {

// INTERNAL, reason STORE_FAILED: `what` failed with the database's own words.
absl::Status StoreFailedError(std::string_view what, std::string_view why);
// RESOURCE_EXHAUSTED, reason DISK_FULL.
absl::Status StoreDiskFullError(std::string_view what);
// ABORTED, reason TERM_ENDED: another process leads by now.
absl::Status TermEndedError(int64_t own, int64_t stored);
// ABORTED, reason CHANGE_REFUSED: what a change expects of a task is no longer so.
absl::Status ChangeRefusedError(std::string_view task, std::string_view why);
// FAILED_PRECONDITION, reason BLOB_MISSING.
absl::Status BlobMissingError(const BlobDigest& digest, std::string_view use);
// RESOURCE_EXHAUSTED, reason QUOTA_EXCEEDED: `more` bytes do not fit beside those `used`.
absl::Status BytesQuotaError(std::string_view tenant, int64_t limit, int64_t used, int64_t more);
absl::Status QueuedJobsQuotaError(std::string_view tenant, int64_t limit, int64_t used);  // likewise
// FAILED_PRECONDITION, reason STORE_NEWER: the file was written by a later version of the program.
absl::Status StoreNewerError(std::string_view path, int found, int known);

}  // namespace bitwright::server
