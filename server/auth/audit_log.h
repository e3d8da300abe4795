#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/base/file_stamp.h"
#include "proto/base/owned_fd.h"
#include "server/auth/call_context.h"

namespace bitwright::server {

// A call that was to change something, and how it was answered.
struct AuditEntry {
  absl::Time time;
  const CallContext& call;    // without a principal: it was not found out
  std::string_view method;    // "CreateJob"
  std::string_view resource;  // given or made; empty: the call was refused before it was read
  absl::Status status;
  bool ran = true;  // false: it was refused before it could change anything
};

// Says who changed what: one JSON object a line, whole or not at all, handed to the kernel when Write returns (a crash
// of the machine may lose the last ones). A file that was renamed away or removed is made anew under its name (mode
// 0600), so that a log can be rotated. Thread-safe.
class AuditLog {
 public:
  AuditLog() = default;  // keeps none: everything is OK
  // Appends to what is there. UNAVAILABLE, reason AUDIT_UNWRITABLE.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(const std::string& path);

  // Before a call that changes something runs: whether its entry could be written. Also writes entries that could not
  // be when they came. UNAVAILABLE, reason AUDIT_UNWRITABLE: the call is not to run.
  absl::Status Ready();
  // UNAVAILABLE, reason AUDIT_UNWRITABLE, is then the answer to the call. The entry of a call that ran is kept for
  // later: at most as many as ran when the first one failed, since after that Ready lets none through.
  absl::Status Write(const AuditEntry& entry);

 private:
  explicit AuditLog(std::string path) : path_(std::move(path)) {}
  absl::Status Append(std::string_view lines) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Reopen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;  // empty: off
  absl::Mutex mutex_;
  OwnedFd file_ ABSL_GUARDED_BY(mutex_);
  ino_t inode_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string kept_ ABSL_GUARDED_BY(mutex_);  // lines that could not be written
};

}  // namespace bitwright::server
