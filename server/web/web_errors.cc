#include "server/web/web_errors.h"

#include <cstring>

#include "proto/base/errors.h"

namespace bitwright::server {
namespace {

using absl::StatusCode;

std::string Text(std::string_view view) { return std::string(view); }
std::string MegabytesText(int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

absl::Status WebListenFailedError(std::string_view address) {
  return MakeError(StatusCode::kUnavailable, "WEB_LISTEN_FAILED",
                   "the web page cannot be served at '" + Text(address) +
                       "': the address is taken or not of this machine; give another --web-listen, or \"off\"",
                   {{"address", Text(address)}});
}

absl::Status WebTlsUnusableError(std::string_view what) {
  return MakeError(StatusCode::kUnavailable, "WEB_TLS_UNUSABLE",
                   "the certificate of --tls-cert and the key of --tls-key cannot be used for the web page: " +
                       Text(what) + "; mend these files, or give --web-listen off");
}

absl::Status PageNotFoundError(std::string_view path) {
  return MakeError(StatusCode::kNotFound, "PAGE_NOT_FOUND", "there is no page '" + Text(path) + "' here",
                   {{"path", Text(path)}});
}

absl::Status ReportNotFoundError(std::string_view job) {
  return MakeError(StatusCode::kNotFound, "REPORT_NOT_FOUND",
                   "job '" + Text(job) + "' has no such report: only a finished job has them, one for each goal",
                   {{"job", Text(job)}});
}

absl::Status FileNotFoundError(std::string_view path) {
  return MakeError(StatusCode::kNotFound, "FILE_NOT_FOUND",
                   "the artifact has no file '" + Text(path) + "'; the page of the job lists those that it has",
                   {{"path", Text(path)}});
}

absl::Status HostRefusedError(std::string_view host) {
  return MakeError(StatusCode::kPermissionDenied, "HOST_REFUSED",
                   "this service asks nobody who calls, so its page answers by the names of this machine alone, and '" +
                       Text(host) + "' is none; use http://localhost or http://127.0.0.1 with the port, or start " +
                       "the service with --tokens-file",
                   {{"host", Text(host)}});
}

absl::Status CrossSiteRefusedError() {
  return MakeError(StatusCode::kPermissionDenied, "CROSS_SITE_REFUSED",
                   "the request comes from a page of another site; open the page of this service and do it there");
}

absl::Status FormExpiredError() {
  return MakeError(StatusCode::kPermissionDenied, "FORM_EXPIRED",
                   "the form is of another session, or of a service that was restarted since; load the page again");
}

absl::Status FormInvalidError(std::string_view what) {
  return MakeError(StatusCode::kInvalidArgument, "FORM_INVALID",
                   "the form cannot be read: " + Text(what) + "; send it as multipart/form-data with its length");
}

absl::Status FormTooLargeError(int64_t limit_bytes) {
  return MakeError(StatusCode::kInvalidArgument, "FORM_TOO_LARGE",
                   "the form with its files is larger than " + MegabytesText(limit_bytes) +
                       "; larger texts are uploaded by `bitwright job submit`",
                   {{"limit_bytes", std::to_string(limit_bytes)}});
}

absl::Status TextTooLargeError(std::string_view name, int64_t limit_bytes) {
  return MakeError(StatusCode::kInvalidArgument, "TEXT_TOO_LARGE",
                   "text '" + Text(name) + "' is larger than the " + MegabytesText(limit_bytes) +
                       " that a form takes; upload it by `bitwright job submit`, then choose it here",
                   {{"name", Text(name)}, {"limit_bytes", std::to_string(limit_bytes)}});
}

absl::Status TextMissingError(std::string_view use) {
  return MakeError(StatusCode::kInvalidArgument, "TEXT_MISSING",
                   "there is no text for " + Text(use) + "; choose a file, or one that an earlier job used",
                   {{"use", Text(use)}});
}

absl::Status NumberInvalidError(std::string_view field, std::string_view text) {
  return MakeError(StatusCode::kInvalidArgument, "NUMBER_INVALID",
                   Text(field) + " is '" + Text(text) + "', which is no whole number; write it in digits alone",
                   {{"field", Text(field)}});
}

absl::Status StreamsFullError(int limit) {
  return MakeError(StatusCode::kResourceExhausted, "STREAMS_FULL",
                   "as many pages follow a job as may, " + std::to_string(limit) +
                       "; close one, or load this page again to see how far the job is",
                   {{"limit", std::to_string(limit)}});
}

absl::Status SubmissionsFullError(int limit) {
  return MakeError(
      StatusCode::kResourceExhausted, "SUBMISSIONS_FULL",
      "as many forms with texts arrive as may at once, " + std::to_string(limit) + "; send it again in a moment",
      {{"limit", std::to_string(limit)}});
}

absl::Status BlobEndedError(std::string_view blob) {
  return MakeError(StatusCode::kDataLoss, "BLOB_ENDED",
                   "blob '" + Text(blob) + "' ended before its size; download it again", {{"blob", Text(blob)}});
}

absl::Status FileUnwritableError(const std::string& path, int error) {
  return MakeError(StatusCode::kUnavailable, "FILE_UNWRITABLE",
                   "file '" + path + "' cannot be written: " + std::strerror(error), {{"path", path}});
}

}  // namespace bitwright::server
