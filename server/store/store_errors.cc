#include "server/store/store_errors.h"

#include <string>

#include "proto/base/errors.h"
#include "proto/contract/reasons.h"

namespace bitwright::server {

absl::Status StoreFailedError(std::string_view what, std::string_view why) {
  return MakeError(absl::StatusCode::kInternal, Reason::kStoreFailed,
                   "the database failed to " + std::string(what) + ": " + std::string(why) +
                       "; see the server's log and the disk of its data directory",
                   {{"operation", std::string(what)}});
}

absl::Status StoreDiskFullError(std::string_view what) {
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kDiskFull,
                   "the disk of the data directory is full, the database could not " + std::string(what) +
                       "; make room and try again");
}

absl::Status TermEndedError(int64_t own, int64_t stored) {
  return MakeError(absl::StatusCode::kAborted, "TERM_ENDED",
                   "this server leads in term " + std::to_string(own) + ", the database is in term " +
                       std::to_string(stored) + ": another server has taken over; stop this one");
}

absl::Status ChangeRefusedError(std::string_view task, std::string_view why) {
  return MakeError(absl::StatusCode::kAborted, "CHANGE_REFUSED",
                   "task '" + std::string(task) + "' " + std::string(why) + "; nothing was written",
                   {{"task", std::string(task)}});
}

absl::Status BlobMissingError(const BlobDigest& digest, std::string_view use) {
  return MakeError(
      absl::StatusCode::kFailedPrecondition, Reason::kBlobMissing,
      "the server does not hold blob " + digest.ToString() + " of " + std::string(use) + "; upload it and call again",
      {{"digest", digest.ToString()}, {"use", std::string(use)}});
}

absl::Status BytesQuotaError(std::string_view tenant, int64_t limit, int64_t used, int64_t more) {
  const std::string besides = more == 0 ? "" : ", so that " + std::to_string(more) + " more do not fit";
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kQuotaExceeded,
                   "tenant '" + std::string(tenant) + "' holds " + std::to_string(used) + " bytes of the " +
                       std::to_string(limit) + " that it may" + besides +
                       "; delete models or jobs and wait until their blobs are unused, or ask the operator for more",
                   {{"tenant", std::string(tenant)},
                    {"quota", "bytes"},
                    {"limit", std::to_string(limit)},
                    {"used", std::to_string(used)}});
}

absl::Status QueuedJobsQuotaError(std::string_view tenant, int64_t limit, int64_t used) {
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kQuotaExceeded,
                   "tenant '" + std::string(tenant) + "' has " + std::to_string(used) + " jobs queued and may have " +
                       std::to_string(limit) + "; wait until one begins, cancel one, or ask the operator for more",
                   {{"tenant", std::string(tenant)},
                    {"quota", "queued_jobs"},
                    {"limit", std::to_string(limit)},
                    {"used", std::to_string(used)}});
}

absl::Status StoreNewerError(std::string_view path, int found, int known) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "STORE_NEWER",
                   "database '" + std::string(path) + "' has schema version " + std::to_string(found) +
                       ", this program knows versions up to " + std::to_string(known) +
                       "; run the newer bitwrightd or give another --data-dir",
                   {{"file", std::string(path)}});
}

}  // namespace bitwright::server
