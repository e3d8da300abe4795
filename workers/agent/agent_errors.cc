#include "workers/agent/agent_errors.h"

#include <cerrno>
#include <cstring>

#include "proto/base/errors.h"
#include "proto/contract/reasons.h"

namespace bitwright::worker {
namespace {

using absl::StatusCode;

std::string Text(std::string_view text) { return std::string(text); }

absl::Status Machinery(std::string_view reason, const std::string& message,
                       std::map<std::string, std::string> metadata = {}) {
  return MakeError(StatusCode::kUnavailable, reason, message, std::move(metadata));
}

}  // namespace

absl::Status FileFailedError(std::string_view path, std::string_view what, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return MakeError(full ? StatusCode::kResourceExhausted : StatusCode::kUnavailable,
                   full ? Reason::kDiskFull : "FILE_UNREADABLE",
                   "file " + Text(path) + " cannot be " + Text(what) + ": " + std::strerror(error) +
                       (full ? "; make room on that disk" : ""),
                   {{"file", Text(path)}});
}

absl::Status FileNotReadError(const std::string& path, int error) { return FileFailedError(path, "read", error); }

absl::Status FileShrankError(const std::string& path, int64_t size_bytes) {
  return Machinery("FILE_UNREADABLE",
                   "file " + path + " became shorter than its " + std::to_string(size_bytes) + " bytes",
                   {{"file", path}});
}

absl::Status BlobUnwritableError(const std::string& path, int error) { return FileFailedError(path, "written", error); }

absl::Status WorkDirInUseError(std::string_view path) {
  return MakeError(StatusCode::kFailedPrecondition, Reason::kWorkDirInUse,
                   "work folder '" + Text(path) + "' is used by another worker; give each its own --work-dir",
                   {{"path", Text(path)}});
}

absl::Status ChildNotStartedError(int error) {
  return Machinery("CHILD_NOT_STARTED", std::string("the task's process cannot be started: ") + std::strerror(error));
}

absl::Status ChildDiedError(std::string_view how) {
  return Machinery("CHILD_DIED", "the task's process " + Text(how) + " before it gave a result");
}

absl::Status PipeBrokenError(std::string_view what) {
  return Machinery("PIPE_BROKEN", "the pipe to the task's process broke: " + Text(what));
}

absl::Status InputMissingError(std::string_view sha256, std::string_view folder) {
  return Machinery("INPUT_MISSING", "input blob " + Text(sha256) + " is not in '" + Text(folder) + "'",
                   {{"sha256", Text(sha256)}});
}

absl::Status OutputUnusableError(std::string_view file, std::string_view why) {
  return Machinery("OUTPUT_UNUSABLE", "output file '" + Text(file) + "' " + Text(why), {{"file", Text(file)}});
}

absl::Status OutputUnreadableError(const std::string& path, int error) {
  const bool not_plain = error == EISDIR || error == EINVAL;
  return OutputUnusableError(path, not_plain      ? "is not a plain file"
                                   : error == EIO ? "cannot be read"
                                                  : "cannot be opened");
}

absl::Status OutputShrankError(const std::string& path, int64_t) {
  return OutputUnusableError(path, "cannot be read to its end");
}

absl::Status DownloadCorruptError(const std::string&, const BlobDigest& digest) {
  return Machinery("BLOB_DIGEST_MISMATCH", "the bytes received for blob " + digest.sha256 + " are not that blob's",
                   {{"sha256", digest.sha256}});
}

absl::Status TaskThrewError(std::string_view what) {
  return MakeError(StatusCode::kInternal, "TASK_EXCEPTION", "the task ended with an exception: " + Text(what));
}

absl::Status ResultTooLargeError(std::string_view task, size_t size_bytes, int limit_bytes) {
  const std::string size = std::to_string(size_bytes), limit = std::to_string(limit_bytes);
  return MakeError(StatusCode::kInvalidArgument, Reason::kResultTooLarge,
                   "what " + Text(task) + " hands in is " + size + " bytes long, more than the " + limit +
                       " that a message to the server may have; give the model fewer files or shorter names",
                   {{"size", size}, {"limit", limit}});
}

absl::Status ConfinementFailedError(std::string_view what, std::string_view path, int error) {
  return Machinery("CONFINEMENT_FAILED",
                   "the task's process cannot be confined: the kernel does not " + Text(what) +
                       (path.empty() ? "" : " '" + Text(path) + "'") + ": " + std::strerror(error),
                   {{"path", Text(path)}});
}

absl::Status LibraryReplacedError(std::string_view path) {
  return MakeError(StatusCode::kFailedPrecondition, "LIBRARY_REPLACED",
                   "library '" + Text(path) + "' was replaced while this worker ran; start it again",
                   {{"path", Text(path)}});
}

}  // namespace bitwright::worker
