#include "server/resources/resource_errors.h"

#include <string>

#include "proto/base/errors.h"
#include "proto/contract/limits.h"

namespace bitwright::server {
namespace {

using absl::StatusCode;

std::string Text(std::string_view view) { return std::string(view); }

}  // namespace

absl::Status ModelNotFoundError(std::string_view model) {
  return MakeError(StatusCode::kNotFound, "MODEL_NOT_FOUND",
                   "there is no model '" + Text(model) + "'; ListModels names all", {{"model", Text(model)}});
}

absl::Status ModelInUseError(std::string_view model, std::string_view job) {
  return MakeError(
      StatusCode::kFailedPrecondition, "MODEL_IN_USE",
      "model '" + Text(model) + "' is used by the unfinished job '" + Text(job) + "'; cancel that or wait for its end",
      {{"model", Text(model)}, {"job", Text(job)}});
}

absl::Status ManifestTooLongError(size_t files) {
  return MakeError(StatusCode::kInvalidArgument, "LIMIT_EXCEEDED",
                   "the manifest has " + std::to_string(files) + " files, the limit is " +
                       std::to_string(limits::kMaxManifestFiles) + "; leave out what the model does not consist of",
                   {{"limit", std::to_string(limits::kMaxManifestFiles)}});
}

absl::Status ManifestDuplicatePathError(std::string_view path) {
  return MakeError(StatusCode::kInvalidArgument, "MANIFEST_DUPLICATE_PATH",
                   "path '" + Text(path) + "' is in the manifest more than once; give each file one path",
                   {{"path", Text(path)}});
}

absl::Status ManifestEmptyError() {
  return MakeError(StatusCode::kInvalidArgument, "MANIFEST_EMPTY",
                   "the manifest names no file; name the files that the model consists of, each with its digest");
}

absl::Status ModelNameTooLongError(size_t bytes) {
  return MakeError(StatusCode::kInvalidArgument, "DISPLAY_NAME_INVALID",
                   "display_name has " + std::to_string(bytes) + " bytes, the limit is " +
                       std::to_string(limits::kMaxDisplayNameBytes) + "; give a shorter name",
                   {{"field", "display_name"}, {"limit", std::to_string(limits::kMaxDisplayNameBytes)}});
}

absl::Status JobNotFoundError(std::string_view job) {
  return MakeError(StatusCode::kNotFound, "JOB_NOT_FOUND", "there is no job '" + Text(job) + "'; ListJobs names all",
                   {{"job", Text(job)}});
}

absl::Status JobUnfinishedError(std::string_view job, std::string_view remedy) {
  return MakeError(StatusCode::kFailedPrecondition, "JOB_UNFINISHED",
                   "job '" + Text(job) + "' is not finished; " + Text(remedy), {{"job", Text(job)}});
}

absl::Status JobHasNoReportError(std::string_view job, std::string_view state) {
  return MakeError(StatusCode::kFailedPrecondition, "JOB_HAS_NO_REPORT",
                   "job '" + Text(job) + "' ended as " + Text(state) + " and has no report; its error says why",
                   {{"job", Text(job)}, {"state", Text(state)}});
}

absl::Status GoalUnknownError(std::string_view job, int goal, int goals) {
  return MakeError(
      StatusCode::kInvalidArgument, "GOAL_UNKNOWN",
      "job '" + Text(job) + "' has no goal " + std::to_string(goal) + "; give 0 to " + std::to_string(goals - 1),
      {{"job", Text(job)}, {"goals", std::to_string(goals)}});
}

absl::Status ReportInvalidError(std::string_view job) {
  return MakeError(
      StatusCode::kInternal, "REPORT_INVALID",
      "the report of job '" + Text(job) + "' cannot be parsed by this version of the server; run the job again",
      {{"job", Text(job)}});
}

absl::Status JobNotRetryableError(std::string_view job, std::string_view state) {
  return MakeError(StatusCode::kFailedPrecondition, "JOB_NOT_RETRYABLE",
                   "job '" + Text(job) + "' is " + Text(state) +
                       "; only one that FAILED or was CANCELLED can be retried, create a new job instead",
                   {{"job", Text(job)}, {"state", Text(state)}});
}

absl::Status FilterInvalidError(std::string_view filter, size_t position, std::string_view why) {
  return MakeError(StatusCode::kInvalidArgument, "FILTER_INVALID",
                   "filter '" + Text(filter.substr(0, 200)) + "' is wrong at position " + std::to_string(position) +
                       ": " + Text(why),
                   {{"position", std::to_string(position)}});
}

absl::Status FilterTooLongError(size_t bytes) {
  return MakeError(StatusCode::kInvalidArgument, "FILTER_INVALID",
                   "the filter has " + std::to_string(bytes) + " bytes, the limit is " +
                       std::to_string(limits::kMaxFilterBytes) + "; give fewer conditions",
                   {{"limit", std::to_string(limits::kMaxFilterBytes)}});
}

absl::Status OrderInvalidError(std::string_view order_by) {
  return MakeError(
      StatusCode::kInvalidArgument, "ORDER_INVALID",
      "order_by '" + Text(order_by.substr(0, 80)) + "' is not known; give \"create_time desc\" or \"create_time\"",
      {{"order_by", Text(order_by.substr(0, 80))}});
}

absl::Status RequestIdReusedError(std::string_view request_id) {
  return MakeError(StatusCode::kInvalidArgument, "REQUEST_ID_REUSED",
                   "request_id '" + Text(request_id) +
                       "' was used before for a request with other contents; use a new one for a new request",
                   {{"request_id", Text(request_id)}});
}

absl::Status RequestIdTooLongError(size_t bytes) {
  return MakeError(StatusCode::kInvalidArgument, "REQUEST_ID_INVALID",
                   "the request_id has " + std::to_string(bytes) + " bytes, the limit is " +
                       std::to_string(limits::kMaxRequestIdBytes) + "; give a shorter one",
                   {{"limit", std::to_string(limits::kMaxRequestIdBytes)}});
}

absl::Status TenantInvalidError(std::string_view tenant) {
  return MakeError(StatusCode::kInvalidArgument, "TENANT_INVALID",
                   "'" + Text(tenant.substr(0, 80)) +
                       "' cannot be a tenant; give 1 to 63 lower-case letters, digits, '-', '_' and '.'",
                   {{"tenant", Text(tenant.substr(0, 80))}});
}

absl::Status TenantLimitInvalidError(std::string_view quota, int64_t value) {
  return MakeError(StatusCode::kInvalidArgument, "TENANT_LIMIT_INVALID",
                   "limit " + Text(quota) + " is " + std::to_string(value) + "; give 0 for none, or a positive number",
                   {{"quota", Text(quota)}});
}

absl::Status TaskDigestInvalidError(std::string_view digest) {
  return MakeError(StatusCode::kInvalidArgument, "TASK_DIGEST_INVALID",
                   "'" + Text(digest.substr(0, 80)) +
                       "' is not the digest of a task: that has 64 digits, 0-9 and a-f, and ListTasks gives it",
                   {{"digest", Text(digest.substr(0, 80))}});
}

absl::Status CacheEntryNotFoundError(std::string_view digest, std::string_view tenant) {
  return MakeError(StatusCode::kNotFound, "CACHE_ENTRY_NOT_FOUND",
                   "the action cache of tenant '" + Text(tenant) + "' has nothing for task digest '" + Text(digest) +
                       "'; ListTasks gives the digests of a job",
                   {{"digest", Text(digest)}, {"tenant", Text(tenant)}});
}

absl::Status PageTokenInvalidError() {
  return MakeError(StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID",
                   "the page token is not one of this query; begin again without a token");
}

absl::Status PageSizeInvalidError(int size) {
  return MakeError(StatusCode::kInvalidArgument, "PAGE_SIZE_INVALID",
                   "page_size is " + std::to_string(size) + "; give 0 for the default or at most " +
                       std::to_string(limits::kMaxPageSize));
}

absl::Status ShippedRecipeInvalidError(std::string_view text) {
  return MakeError(StatusCode::kInternal, "RECIPE_INVALID",
                   "a shipped recipe cannot be parsed, it begins with: " + Text(text.substr(0, 60)));
}

}  // namespace bitwright::server
