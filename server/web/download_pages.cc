#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "proto/report/html_report.h"
#include "proto/report/job_goals.h"
#include "proto/transfer/blob_reader.h"
#include "server/web/guards.h"
#include "server/web/pages.h"
#include "server/web/web_errors.h"

namespace bitwright::server {
namespace {

constexpr int kTasksPage = 1000;

// An index as addresses have it; −1: it is none.
int GoalOf(const std::string& text) {
  int goal = -1;
  return absl::SimpleAtoi(text, &goal) && goal >= 0 ? goal : -1;
}

// The bytes of a blob as they come from the service.
class BlobBody final : public HttpBody {
 public:
  BlobBody(const Gateway& gateway, const BlobDigest& digest)
      : gateway_(gateway), transfers_(gateway_.transfers()), digest_(digest) {}

  absl::StatusOr<std::string> Next() override {
    if (reader_ == nullptr) reader_ = std::make_unique<BlobReader>(transfers_, digest_, 0, digest_.size_bytes);
    ABSL_ASSIGN_OR_RETURN(std::string data, reader_->Next());
    sent_ += static_cast<int64_t>(data.size());
    if (data.empty() && sent_ < digest_.size_bytes) return BlobEndedError(digest_.ToString());
    return data;
  }

 private:
  const Gateway gateway_;
  const TransferContext transfers_;
  const BlobDigest digest_;
  std::unique_ptr<BlobReader> reader_;  // once somebody reads
  int64_t sent_ = 0;
};

absl::StatusOr<std::vector<v1::Task>> AllTasks(const Gateway& gateway, const std::string& job) {
  std::vector<v1::Task> tasks;
  v1::ListTasksRequest request;
  request.set_parent(job);
  request.set_page_size(kTasksPage);
  do {
    ABSL_ASSIGN_OR_RETURN(v1::ListTasksResponse page, gateway.ListTasks(request));
    for (v1::Task& task : *page.mutable_tasks()) tasks.push_back(std::move(task));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return tasks;
}

// The text of its <style>, which the page's policy names by its digest.
std::string StyleOf(const std::string& html) {
  constexpr std::string_view kBegin = "<style>";
  const size_t begin = html.find(kBegin);
  const size_t end = html.find("</style>");
  if (begin == std::string::npos || end == std::string::npos) return "";
  return html.substr(begin + kBegin.size(), end - begin - kBegin.size());
}

}  // namespace

absl::StatusOr<HttpResponse> ShowReport(const PageContext& context) {
  const std::string asked = context.request.Query("goal");
  const int goal = asked.empty() ? 0 : GoalOf(asked);
  if (goal < 0) return ReportNotFoundError(context.arguments[0]);
  ABSL_ASSIGN_OR_RETURN(const v1::Report report, context.gateway.GetReport(JobName(context), goal));
  ABSL_ASSIGN_OR_RETURN(const std::vector<v1::Task> tasks, AllTasks(context.gateway, JobName(context)));
  HttpResponse response{.content_type = "text/html; charset=utf-8", .body = HtmlReport(report, tasks)};
  AddSecurityHeaders(response, StyleOf(response.body));
  if (!context.request.Query("download").empty()) {
    response.With("Content-Disposition", AttachmentNamed("report.html"));
  }
  return response;
}

absl::StatusOr<HttpResponse> SendFile(const PageContext& context) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, context.gateway.GetJob(JobName(context)));
  const int goal = GoalOf(context.arguments[1]);
  const std::string& path = context.arguments[2];
  const std::vector<v1::Outcome> outcomes = OutcomesOf(job);
  if (goal < 0 || goal >= static_cast<int>(outcomes.size())) return FileNotFoundError(path);
  for (const v1::FileEntry& file : outcomes[static_cast<size_t>(goal)].artifact().files()) {
    if (file.path() != path) continue;
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(file.digest()));
    HttpResponse response{.content_type = "application/octet-stream"};
    response.stream = std::make_shared<BlobBody>(context.gateway, digest);
    response.stream_bytes = digest.size_bytes;
    response.With("Content-Disposition", AttachmentNamed(path.substr(path.rfind('/') + 1)));
    response.With("ETag", "\"" + digest.sha256 + "\"");
    return response;
  }
  return FileNotFoundError(path);
}

}  // namespace bitwright::server
