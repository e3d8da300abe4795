#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "proto/contract/digest.h"
#include "proto/contract/names.h"

namespace bitwright::server {

absl::Status BlobNotFound(const BlobDigest& digest);                       // NOT_FOUND, BLOB_NOT_FOUND
absl::Status BlobMissing(const BlobDigest& digest, std::string_view use);  // FAILED_PRECONDITION, BLOB_MISSING
absl::Status BlobUnreadable(std::string_view path, int error);             // UNAVAILABLE, BLOB_UNREADABLE
absl::Status BlobUnwritable(std::string_view path, int error);             // UNAVAILABLE, BLOB_UNWRITABLE
absl::Status BlobTooLarge(const BlobDigest& digest, int64_t limit);        // RESOURCE_EXHAUSTED, LIMIT_EXCEEDED
absl::Status DiskFull(std::string_view path);                              // RESOURCE_EXHAUSTED, DISK_FULL
absl::Status DigestMismatch(const BlobDigest& declared,
                            const BlobDigest& found);    // INVALID_ARGUMENT, BLOB_DIGEST_MISMATCH
absl::Status UploadTooLong(const BlobDigest& declared);  // INVALID_ARGUMENT, BLOB_DIGEST_MISMATCH
absl::Status UploadBusy(const UploadName& name);         // UNAVAILABLE, UPLOAD_BUSY
absl::Status UploadUnknown(const UploadName& name);      // NOT_FOUND, UPLOAD_UNKNOWN

}  // namespace bitwright::server
