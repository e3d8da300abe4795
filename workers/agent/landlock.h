#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "workers/agent/file_rules.h"

namespace bitwright::worker {

// The version of Landlock's interface that this kernel has; 0: it has none, or forbids it.
int LandlockVersion();

// The rights of the kernel's interface that an access stands for, of those that `version` knows. `folder`: whether the
// rule is about a folder; rights to names in it make no sense for a file and are refused there.
uint64_t LandlockRights(FileAccess access, bool folder, int version);

// All rights that are taken away where no rule gives them.
uint64_t LandlockHandled(int version);

// Holds the calling thread, and all that it starts from now on, to the rules, for good. Call it before other threads
// are there, with PR_SET_NO_NEW_PRIVS set. Paths that are not there need no rule. Until version 3 truncation, and
// always modes, owners and times of files are none of Landlock's business: Confine (confinement.h) forbids these calls.
// UNAVAILABLE, reason CONFINEMENT_FAILED. Not for a kernel without Landlock.
absl::Status HoldToFileRules(std::span<const FileRule> rules);

}  // namespace bitwright::worker
