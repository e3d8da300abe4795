#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "proto/contract/digest.h"
#include "proto/contract/names.h"

namespace bitwright::server {

absl::Status BlobNotFoundError(const BlobDigest& digest);                 // NOT_FOUND, BLOB_NOT_FOUND
absl::Status BlobUnreadableError(std::string_view path, int error);       // UNAVAILABLE, BLOB_UNREADABLE
absl::Status BlobUnwritableError(std::string_view path, int error);       // UNAVAILABLE, BLOB_UNWRITABLE
absl::Status BlobTooLargeError(const BlobDigest& digest, int64_t limit);  // RESOURCE_EXHAUSTED, LIMIT_EXCEEDED
absl::Status DiskFullError(std::string_view path);                        // RESOURCE_EXHAUSTED, DISK_FULL
// RESOURCE_EXHAUSTED, DISK_FULL: before a write was tried.
absl::Status DiskBelowMarkError(int64_t free_bytes, int64_t limit_bytes);
// RESOURCE_EXHAUSTED, UPLOADS_FULL: as many of `what` ("open uploads") as the server takes; try again.
absl::Status UploadsFullError(std::string_view what, int64_t limit);
absl::Status DigestMismatchError(const BlobDigest& declared,
                                 const BlobDigest& found);    // INVALID_ARGUMENT, BLOB_DIGEST_MISMATCH
absl::Status UploadTooLongError(const BlobDigest& declared);  // INVALID_ARGUMENT, BLOB_DIGEST_MISMATCH
absl::Status UploadBusyError(const UploadName& name);         // UNAVAILABLE, UPLOAD_BUSY
absl::Status UploadUnknownError(const UploadName& name);      // NOT_FOUND, UPLOAD_UNKNOWN

}  // namespace bitwright::server
