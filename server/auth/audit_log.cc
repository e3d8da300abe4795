#include "server/auth/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "proto/base/errors.h"
#include "proto/base/files.h"
#include "proto/base/json_text.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/principals.h"
#include "server/auth/auth_errors.h"

namespace bitwright::server {
namespace {

std::string RolesText(Roles roles) {
  std::string text;
  for (size_t i = 0; i < std::size(kEachRole); ++i) {
    if (!roles.Has(kEachRole[i])) continue;
    text += (text.empty() ? "" : ",") + JsonText(kRoleWords[i]);
  }
  return "[" + text + "]";
}

std::string LineOf(const AuditEntry& entry) {
  const Principal& principal = entry.call.principal;
  const bool known = !principal.name.empty();
  constexpr char kTime[] = "%Y-%m-%dT%H:%M:%E6SZ";
  const std::pair<std::string_view, std::string> fields[] = {
      {"time", JsonText(absl::FormatTime(kTime, entry.time, absl::UTCTimeZone()))},
      {"principal", JsonText(principal.name)},
      {"tenant", JsonText(known ? principal.tenant : "")},
      {"roles", RolesText(principal.roles)},
      {"peer", JsonText(entry.call.peer)},
      {"request_id", JsonText(entry.call.request_id)},
      {"trace_parent", JsonText(entry.call.trace_parent)},
      {"method", JsonText(entry.method)},
      {"resource", JsonText(entry.resource)},
      {"code", JsonText(absl::StatusCodeToString(entry.status.code()))},
      {"reason", JsonText(ErrorReason(entry.status))}};
  std::string line;
  for (const auto& [key, value] : fields) line += (line.empty() ? "{" : ",") + JsonText(key) + ":" + value;
  return line + "}\n";
}

}  // namespace

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(const std::string& path) {
  std::unique_ptr<AuditLog> log(new AuditLog(path));
  absl::MutexLock lock(&log->mutex_);
  ABSL_RETURN_IF_ERROR(log->Reopen());
  return log;
}

absl::Status AuditLog::Reopen() {
  if (file_.get() >= 0 && StampOf(path_).inode == inode_) return absl::OkStatus();
  OwnedFd file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return AuditUnwritableError(errno);
  file_ = std::move(file);
  inode_ = info.st_ino;
  return absl::OkStatus();
}

absl::Status AuditLog::Append(std::string_view lines) {
  ABSL_RETURN_IF_ERROR(Reopen());
  const off_t before = ::lseek(file_.get(), 0, SEEK_END);
  if (WriteAll(file_.get(), lines) == 0) return absl::OkStatus();
  const int error = errno;
  // What a full disk took of a line is taken back; a pipe or a terminal keeps it.
  if (before >= 0 && ::ftruncate(file_.get(), before) != 0) {
    LOG(ERROR) << "audit log '" << path_ << "' may end in the middle of a line";
  }
  return AuditUnwritableError(error);
}

absl::Status AuditLog::Flush() {
  if (kept_.empty()) return Reopen();
  ABSL_RETURN_IF_ERROR(Append(kept_));
  kept_.clear();
  LOG(INFO) << "audit log '" << path_ << "' can be written again";
  return absl::OkStatus();
}

absl::Status AuditLog::Ready() {
  if (path_.empty()) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  return Flush();
}

absl::Status AuditLog::Write(const AuditEntry& entry) {
  if (path_.empty()) return absl::OkStatus();
  const std::string line = LineOf(entry);
  absl::MutexLock lock(&mutex_);
  absl::Status status = Flush();
  if (status.ok()) status = Append(line);
  if (status.ok() || !entry.ran) return status;
  if (kept_.empty()) LOG(ERROR) << "nothing is changed until this is mended: " << std::string(status.message());
  kept_ += line;
  return status;
}

}  // namespace bitwright::server
