#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// UNAVAILABLE, reason FILE_UNREADABLE; RESOURCE_EXHAUSTED, reason DISK_FULL when the disk is full. `what` is "opened",
// "written" …
absl::Status FileFailed(std::string_view path, std::string_view what, int error);
// FAILED_PRECONDITION, reason WORK_DIR_IN_USE.
absl::Status WorkDirInUse(std::string_view path);

// All UNAVAILABLE: the machinery's fault, never the task's.
absl::Status ChildNotStarted(int error);                                        // CHILD_NOT_STARTED
absl::Status ChildDied(std::string_view how);                                   // CHILD_DIED: "was ended by signal 6"
absl::Status PipeBroken(std::string_view what);                                 // PIPE_BROKEN
absl::Status InputMissing(std::string_view sha256, std::string_view folder);    // INPUT_MISSING
absl::Status OutputUnusable(std::string_view file, std::string_view why);       // OUTPUT_UNUSABLE
absl::Status DownloadCorrupt(std::string_view sha256);                          // BLOB_DIGEST_MISMATCH
absl::Status TransferStalled(std::string_view blob, const absl::Status& last);  // TRANSFER_STALLED

// CANCELLED, reason AGENT_STOPPING.
absl::Status Stopping();

// INTERNAL, reason TASK_EXCEPTION; RESOURCE_EXHAUSTED, reason MEMORY_LIMIT: a task's own fault, found by the child.
absl::Status TaskThrew(std::string_view what);
absl::Status MemoryLimitReached(int64_t limit_bytes);

}  // namespace bitwright::worker
