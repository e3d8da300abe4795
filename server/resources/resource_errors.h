#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::server {

absl::Status ModelNotFoundError(std::string_view model);                     // NOT_FOUND, MODEL_NOT_FOUND
absl::Status ModelInUseError(std::string_view model, std::string_view job);  // FAILED_PRECONDITION, MODEL_IN_USE
absl::Status ManifestTooLongError(size_t files);                             // INVALID_ARGUMENT, LIMIT_EXCEEDED
absl::Status ManifestDuplicatePathError(std::string_view path);  // INVALID_ARGUMENT, MANIFEST_DUPLICATE_PATH
absl::Status ManifestEmptyError();                               // INVALID_ARGUMENT, MANIFEST_EMPTY
absl::Status ModelNameTooLongError(size_t bytes);                // INVALID_ARGUMENT, DISPLAY_NAME_INVALID
absl::Status JobNotFoundError(std::string_view job);             // NOT_FOUND, JOB_NOT_FOUND
absl::Status JobUnfinishedError(std::string_view job, std::string_view remedy);  // FAILED_PRECONDITION, JOB_UNFINISHED
absl::Status JobHasNoReportError(std::string_view job,
                                 std::string_view state);                  // FAILED_PRECONDITION, JOB_HAS_NO_REPORT
absl::Status GoalUnknownError(std::string_view job, int goal, int goals);  // GOAL_UNKNOWN
absl::Status ReportInvalidError(std::string_view job);                     // INTERNAL, REPORT_INVALID
absl::Status JobNotRetryableError(std::string_view job,
                                  std::string_view state);  // FAILED_PRECONDITION, JOB_NOT_RETRYABLE
absl::Status FilterInvalidError(std::string_view filter, size_t position,
                                std::string_view why);                        // INVALID_ARGUMENT, FILTER_INVALID
absl::Status FilterTooLongError(size_t bytes);                                // INVALID_ARGUMENT, FILTER_INVALID
absl::Status OrderInvalidError(std::string_view order_by);                    // INVALID_ARGUMENT, ORDER_INVALID
absl::Status RequestIdReusedError(std::string_view request_id);               // INVALID_ARGUMENT, REQUEST_ID_REUSED
absl::Status RequestIdTooLongError(size_t bytes);                             // INVALID_ARGUMENT, REQUEST_ID_INVALID
absl::Status TenantInvalidError(std::string_view tenant);                     // INVALID_ARGUMENT, TENANT_INVALID
absl::Status TenantLimitInvalidError(std::string_view quota, int64_t value);  // INVALID_ARGUMENT, TENANT_LIMIT_INVALID
absl::Status TaskDigestInvalidError(std::string_view digest);                 // INVALID_ARGUMENT, TASK_DIGEST_INVALID
absl::Status CacheEntryNotFoundError(std::string_view digest,
                                     std::string_view tenant);  // NOT_FOUND, CACHE_ENTRY_NOT_FOUND
absl::Status PageTokenInvalidError();                           // INVALID_ARGUMENT, PAGE_TOKEN_INVALID
absl::Status PageSizeInvalidError(int size);                    // INVALID_ARGUMENT, PAGE_SIZE_INVALID
absl::Status ShippedRecipeInvalidError(std::string_view text);  // INTERNAL, RECIPE_INVALID

}  // namespace bitwright::server
