#include "workers/agent/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "proto/base/owned_fd.h"
#include "proto/base/status_macros.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {
namespace {

// Of later kernels than the headers of Debian 12 are made from.
constexpr uint64_t kTruncate = uint64_t{1} << 14;  // version 3
constexpr uint64_t kDevices = uint64_t{1} << 15;   // ioctl on devices; version 5

constexpr uint64_t kOfFiles =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | kTruncate | kDevices;

absl::Status Allow(int rules, const FileRule& rule, int version) {
  const OwnedFd at(::open(rule.path.c_str(), O_PATH | O_CLOEXEC));
  if (at.get() < 0) {
    return errno == ENOENT ? absl::OkStatus() : ConfinementFailedError("open", rule.path, errno);
  }
  struct stat info {};
  if (::fstat(at.get(), &info) != 0) return ConfinementFailedError("look at", rule.path, errno);
  landlock_path_beneath_attr beneath = {};
  beneath.allowed_access = LandlockRights(rule.access, S_ISDIR(info.st_mode), version);
  beneath.parent_fd = at.get();
  if (::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0) {
    return ConfinementFailedError("take a rule for", rule.path, errno);
  }
  return absl::OkStatus();
}

}  // namespace

int LandlockVersion() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

uint64_t LandlockHandled(int version) {
  uint64_t rights = 0;
  if (version >= 1) rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
  if (version >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) rights |= kTruncate;
  if (version >= 5) rights |= kDevices;
  return rights;
}

uint64_t LandlockRights(FileAccess access, bool folder, int version) {
  uint64_t rights = 0;
  switch (access) {
    case FileAccess::kRead:
      rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
      break;
    case FileAccess::kRun:
      rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
      break;
    case FileAccess::kReplace:
      rights = LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
      break;
    case FileAccess::kFill:
      rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE |
               LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | kTruncate;
      break;
    case FileAccess::kDevice:
      rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE | kDevices;
      break;
  }
  return rights & LandlockHandled(version) & (folder ? ~uint64_t{0} : kOfFiles);
}

absl::Status HoldToFileRules(std::span<const FileRule> rules) {
  const int version = LandlockVersion();
  // Only the first member: what later versions add (networks, scopes) is seccomp's here.
  const uint64_t handled = LandlockHandled(version);
  const OwnedFd set(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0)));
  if (set.get() < 0) return ConfinementFailedError("make a set of rules", "", errno);
  for (const FileRule& rule : rules) ABSL_RETURN_IF_ERROR(Allow(set.get(), rule, version));
  if (::syscall(SYS_landlock_restrict_self, set.get(), 0) != 0) {
    return ConfinementFailedError("hold it to its rules", "", errno);
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
