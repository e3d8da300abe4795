#include "client/api/client_errors.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"
#include "proto/contract/reasons.h"

namespace bitwright::client {
namespace {

std::string Text(std::string_view text) { return std::string(text); }

}  // namespace

absl::Status ServerUnreachableError(std::string_view address, std::string_view cause) {
  return MakeError(absl::StatusCode::kUnavailable, "SERVER_UNREACHABLE",
                   absl::StrCat("the server at ", Text(address), " cannot be reached: ", Text(cause),
                                "; start bitwrightd there, or name another with --server or BITWRIGHT_SERVER"),
                   {{"address", Text(address)}});
}

absl::Status ServerNotReadyError(std::string_view cause) {
  return MakeError(absl::StatusCode::kUnavailable, Reason::kServerNotReady, cause);
}

absl::Status FileUnreadableError(const std::string& path, int error) {
  return MakeError(error == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kFailedPrecondition,
                   "FILE_UNREADABLE", absl::StrCat("'", path, "' cannot be read: ", std::strerror(error)),
                   {{"file", path}});
}

absl::Status FileUnwritableError(const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return MakeError(full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kFailedPrecondition,
                   full ? Reason::kDiskFull : "FILE_UNWRITABLE",
                   absl::StrCat("'", path, "' cannot be written: ", std::strerror(error),
                                full ? "; make room on that disk and call again, what is there continues" : ""),
                   {{"file", path}});
}

absl::Status FileShrankError(const std::string& path, int64_t size_bytes) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "FILE_CHANGED",
                   absl::StrCat("'", path, "' became shorter than its ", size_bytes,
                                " bytes while it was read; let the program that writes it finish, then call again"),
                   {{"file", path}});
}

absl::Status ModelDirInvalidError(const std::string& dir, std::string_view what, std::string_view remedy) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_DIR_INVALID",
                   absl::StrCat("'", dir, "' is not a model folder: ", Text(what), "; ", Text(remedy)), {{"dir", dir}});
}

absl::Status ModelRejectedError() {
  return MakeError(absl::StatusCode::kInternal, "MODEL_REJECTED", "the server rejected the model without a reason");
}

absl::Status BudgetInvalidError(std::string_view text, std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BUDGET_INVALID",
                   absl::StrCat("budget '", Text(text), "' ", Text(what),
                                "; write average bits per weight as 4.25bpw, or the artifact's size as 12MB (10^6 "
                                "bytes), 12MiB (2^20), 1.5GB or 12000000B"),
                   {{"budget", Text(text)}});
}

absl::Status RecipeFileInvalidError(const std::string& path, std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "RECIPE_INVALID",
                   absl::StrCat("recipe file '", path, "' is not a bitwright.v1.Recipe in text format: ", Text(what),
                                "; `bitwright recipe show mixed-gptq` prints one"),
                   {{"file", path}});
}

absl::Status DownloadCorruptError(const std::string& path, const BlobDigest& digest) {
  return MakeError(absl::StatusCode::kDataLoss, "BLOB_DIGEST_MISMATCH",
                   absl::StrCat("what arrived for '", path, "' does not have the digest ", digest.ToString(),
                                "; it was dropped: call again, and if it happens again check disk and network"),
                   {{"file", path}, {"digest", digest.ToString()}});
}

absl::Status JobNotFinishedError(std::string_view job, std::string_view state) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "JOB_UNFINISHED",
                   absl::StrCat(Text(job), " has no artifact: it is ", Text(state),
                                "; wait for it with `bitwright job watch ", Text(job), "`"),
                   {{"job", Text(job)}});
}

absl::Status JobCancelledError(std::string_view job) {
  return MakeError(absl::StatusCode::kCancelled, "JOB_CANCELLED", absl::StrCat(Text(job), " was cancelled"),
                   {{"job", Text(job)}});
}

absl::Status JobFailedError() {
  return MakeError(absl::StatusCode::kInternal, "JOB_FAILED", "the server gave no reason");
}

}  // namespace bitwright::client
