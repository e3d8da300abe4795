#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "proto/contract/digest.h"
#include "proto/transfer/local_file.h"

namespace bitwright::worker {

// UNAVAILABLE, reason FILE_UNREADABLE; RESOURCE_EXHAUSTED, reason DISK_FULL when the disk is full. `what` is "created",
// "linked" …
absl::Status FileFailedError(std::string_view path, std::string_view what, int error);
absl::Status FileNotReadError(const std::string& path, int error);
absl::Status FileShrankError(const std::string& path, int64_t size_bytes);  // UNAVAILABLE, reason FILE_UNREADABLE
absl::Status BlobUnwritableError(const std::string& path, int error);
inline constexpr LocalFileErrors kFileErrors{FileNotReadError, FileShrankError};

// FAILED_PRECONDITION, reason WORK_DIR_IN_USE.
absl::Status WorkDirInUseError(std::string_view path);

// All UNAVAILABLE: the machinery's fault, never the task's.
absl::Status ChildNotStartedError(int error);         // CHILD_NOT_STARTED
absl::Status ChildDiedError(std::string_view how);    // CHILD_DIED: "was ended by signal 6"
absl::Status PipeBrokenError(std::string_view what);  // PIPE_BROKEN
absl::Status InputMissingError(std::string_view sha256, std::string_view folder);           // INPUT_MISSING
absl::Status OutputUnusableError(std::string_view file, std::string_view why);              // OUTPUT_UNUSABLE
absl::Status OutputUnreadableError(const std::string& path, int error);                     // OUTPUT_UNUSABLE
absl::Status OutputShrankError(const std::string& path, int64_t size_bytes);                // OUTPUT_UNUSABLE
absl::Status DownloadCorruptError(const std::string& part_path, const BlobDigest& digest);  // BLOB_DIGEST_MISMATCH
inline constexpr LocalFileErrors kOutputErrors{OutputUnreadableError, OutputShrankError};

// INTERNAL, reason TASK_EXCEPTION: a task's own fault, found by the child.
absl::Status TaskThrewError(std::string_view what);

// INVALID_ARGUMENT, reason RESULT_TOO_LARGE: the list of a task's outputs, or its error, does not fit a message to the
// server. metadata: size, limit.
absl::Status ResultTooLargeError(std::string_view task, size_t size_bytes, int limit_bytes);

// UNAVAILABLE, reason CONFINEMENT_FAILED: the kernel offers Landlock but refused a step. `what` is "let the task into".
absl::Status ConfinementFailedError(std::string_view what, std::string_view path, int error);

// FAILED_PRECONDITION, reason LIBRARY_REPLACED: the file of a library that this process has loaded is another one now.
absl::Status LibraryReplacedError(std::string_view path);

}  // namespace bitwright::worker
