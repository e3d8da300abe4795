#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::server {

absl::Status WebListenFailedError(std::string_view address);  // UNAVAILABLE, WEB_LISTEN_FAILED
// UNAVAILABLE, WEB_TLS_UNUSABLE: what OpenSSL says of the certificate or the key.
absl::Status WebTlsUnusableError(std::string_view what);
absl::Status PageNotFoundError(std::string_view path);                       // NOT_FOUND, PAGE_NOT_FOUND
absl::Status ReportNotFoundError(std::string_view job);                      // NOT_FOUND, REPORT_NOT_FOUND
absl::Status FileNotFoundError(std::string_view path);                       // NOT_FOUND, FILE_NOT_FOUND
absl::Status HostRefusedError(std::string_view host);                        // PERMISSION_DENIED, HOST_REFUSED
absl::Status CrossSiteRefusedError();                                        // PERMISSION_DENIED, CROSS_SITE_REFUSED
absl::Status FormExpiredError();                                             // PERMISSION_DENIED, FORM_EXPIRED
absl::Status FormInvalidError(std::string_view what);                        // INVALID_ARGUMENT, FORM_INVALID
absl::Status FormTooLargeError(int64_t limit_bytes);                         // INVALID_ARGUMENT, FORM_TOO_LARGE
absl::Status TextTooLargeError(std::string_view name, int64_t limit_bytes);  // INVALID_ARGUMENT, TEXT_TOO_LARGE
absl::Status TextMissingError(std::string_view use);                         // INVALID_ARGUMENT, TEXT_MISSING
absl::Status NumberInvalidError(std::string_view field, std::string_view text);  // INVALID_ARGUMENT, NUMBER_INVALID
absl::Status StreamsFullError(int limit);                                        // RESOURCE_EXHAUSTED, STREAMS_FULL
absl::Status SubmissionsFullError(int limit);                                    // RESOURCE_EXHAUSTED, SUBMISSIONS_FULL
absl::Status BlobEndedError(std::string_view blob);                              // DATA_LOSS, BLOB_ENDED
absl::Status FileUnwritableError(const std::string& path, int error);            // UNAVAILABLE, FILE_UNWRITABLE

}  // namespace bitwright::server
