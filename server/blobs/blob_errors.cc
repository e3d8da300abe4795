#include "server/blobs/blob_errors.h"

#include <cstring>
#include <string>

#include "proto/base/errors.h"
#include "proto/contract/reasons.h"

namespace bitwright::server {

absl::Status BlobNotFoundError(const BlobDigest& digest) {
  return MakeError(
      absl::StatusCode::kNotFound, Reason::kBlobNotFound,
      "the server does not hold blob " + digest.ToString() + "; it may have been collected, upload it again",
      {{"digest", digest.ToString()}});
}

absl::Status BlobUnreadableError(std::string_view path, int error) {
  return MakeError(absl::StatusCode::kUnavailable, Reason::kBlobUnreadable,
                   "file '" + std::string(path) + "' cannot be read: " + std::strerror(error),
                   {{"file", std::string(path)}});
}

absl::Status BlobUnwritableError(std::string_view path, int error) {
  return MakeError(absl::StatusCode::kUnavailable, "BLOB_UNWRITABLE",
                   "file '" + std::string(path) + "' cannot be written: " + std::strerror(error),
                   {{"file", std::string(path)}});
}

absl::Status BlobTooLargeError(const BlobDigest& digest, int64_t limit) {
  return MakeError(
      absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
      "blob " + digest.ToString() + " is larger than the limit of " + std::to_string(limit) + " bytes for this use",
      {{"digest", digest.ToString()}, {"limit", std::to_string(limit)}});
}

absl::Status DiskFullError(std::string_view path) {
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kDiskFull,
                   "the disk of the server's data directory is full, '" + std::string(path) +
                       "' could not be written; make room and upload again",
                   {{"file", std::string(path)}});
}

absl::Status DiskBelowMarkError(int64_t free_bytes, int64_t limit_bytes) {
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kDiskFull,
                   "uploads are refused: the disk of the server's data directory has " + std::to_string(free_bytes) +
                       " bytes free, less than the limit of " + std::to_string(limit_bytes) +
                       " (--disk-full); make room, or delete jobs and models, and upload again",
                   {{"free", std::to_string(free_bytes)}, {"limit", std::to_string(limit_bytes)}});
}

absl::Status UploadsFullError(std::string_view what, int64_t limit) {
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kUploadsFull,
                   "the server has " + std::string(what) + " up to its limit of " + std::to_string(limit) +
                       "; try again when others have finished",
                   {{"limit", std::to_string(limit)}});
}

absl::Status DigestMismatchError(const BlobDigest& declared, const BlobDigest& found) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BLOB_DIGEST_MISMATCH",
                   "the uploaded bytes are " + found.ToString() + ", declared was " + declared.ToString() +
                       "; the upload is discarded, start again with a new upload id",
                   {{"declared", declared.ToString()}, {"found", found.ToString()}});
}

absl::Status UploadTooLongError(const BlobDigest& declared) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BLOB_DIGEST_MISMATCH",
                   "more bytes were uploaded than the " + std::to_string(declared.size_bytes) + " declared in " +
                       declared.ToString() + "; the upload is discarded, start again with a new upload id",
                   {{"declared", declared.ToString()}});
}

absl::Status UploadBusyError(const UploadName& name) {
  return MakeError(absl::StatusCode::kUnavailable, "UPLOAD_BUSY",
                   "another stream is writing '" + UploadNameText(name) + "'; try again in a moment or use a new id",
                   {{"upload", UploadNameText(name)}});
}

absl::Status UploadUnknownError(const UploadName& name) {
  return MakeError(absl::StatusCode::kNotFound, "UPLOAD_UNKNOWN",
                   "the server holds no bytes of '" + UploadNameText(name) + "'; start at offset 0",
                   {{"upload", UploadNameText(name)}});
}

}  // namespace bitwright::server
