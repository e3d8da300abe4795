#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

// Errors that arise on the client's side. Those of the server pass through unchanged.
namespace bitwright::client {

absl::Status ServerUnreachable(std::string_view address, std::string_view cause);  // SERVER_UNREACHABLE
absl::Status FileUnreadable(const std::string& path, int error);                   // FILE_UNREADABLE
absl::Status FileUnwritable(const std::string& path, int error);                   // FILE_UNWRITABLE, DISK_FULL
absl::Status FileShrank(const std::string& path, int64_t size_bytes);              // FILE_CHANGED
absl::Status ModelDirInvalid(const std::string& dir, std::string_view what, std::string_view remedy);
absl::Status BudgetInvalid(std::string_view text, std::string_view what);        // BUDGET_INVALID
absl::Status RecipeFileInvalid(const std::string& path, std::string_view what);  // RECIPE_INVALID
absl::Status DownloadCorrupt(const std::string& path, std::string_view digest);  // BLOB_DIGEST_MISMATCH
absl::Status JobNotFinished(std::string_view job, std::string_view state);       // JOB_UNFINISHED

}  // namespace bitwright::client
