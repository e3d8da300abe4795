#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::server {

absl::Status ModelNotFound(std::string_view model);                         // NOT_FOUND, MODEL_NOT_FOUND
absl::Status ModelInUse(std::string_view model, std::string_view job);      // FAILED_PRECONDITION, MODEL_IN_USE
absl::Status ManifestTooLong(size_t files);                                 // INVALID_ARGUMENT, LIMIT_EXCEEDED
absl::Status ManifestDuplicatePath(std::string_view path);                  // INVALID_ARGUMENT, MANIFEST_DUPLICATE_PATH
absl::Status ManifestIncomplete(std::string_view missing);                  // INVALID_ARGUMENT, MANIFEST_INCOMPLETE
absl::Status ModelNameTooLong(size_t bytes);                                // INVALID_ARGUMENT, DISPLAY_NAME_INVALID
absl::Status JobNotFound(std::string_view job);                             // NOT_FOUND, JOB_NOT_FOUND
absl::Status JobUnfinished(std::string_view job, std::string_view remedy);  // FAILED_PRECONDITION, JOB_UNFINISHED
absl::Status JobHasNoReport(std::string_view job, std::string_view state);  // FAILED_PRECONDITION, JOB_HAS_NO_REPORT
absl::Status ReportInvalid(std::string_view job);                           // INTERNAL, REPORT_INVALID
absl::Status RequestIdReused(std::string_view request_id);                  // INVALID_ARGUMENT, REQUEST_ID_REUSED
absl::Status RequestIdTooLong(size_t bytes);                                // INVALID_ARGUMENT, REQUEST_ID_INVALID
absl::Status PageTokenInvalid();                                            // INVALID_ARGUMENT, PAGE_TOKEN_INVALID
absl::Status PageSizeInvalid(int size);                                     // INVALID_ARGUMENT, PAGE_SIZE_INVALID
absl::Status ShippedRecipeInvalid(std::string_view text);                   // INTERNAL, RECIPE_INVALID

}  // namespace bitwright::server
