#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "bitwright/v1/jobs.pb.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/contract/goals.h"
#include "proto/contract/names.h"
#include "proto/report/number_text.h"
#include "server/web/job_view.h"
#include "server/web/page_text.h"
#include "server/web/pages.h"

namespace bitwright::server {
namespace {

constexpr int kPage = 50;
constexpr int kTasksPage = 200;
constexpr char kOldestFirst[] = "create_time";

// Of a word in a query; unspecified: none, or one that is no state.
v1::Job::State StateOf(const std::string& word) {
  v1::Job::State state = v1::Job::STATE_UNSPECIFIED;
  (void)v1::Job::State_Parse(absl::AsciiStrToUpper(word), &state);
  return state;
}

View::Items StateChoices(v1::Job::State chosen) {
  View::Items choices;
  for (const v1::Job::State state :
       {v1::Job::QUEUED, v1::Job::RUNNING, v1::Job::SUCCEEDED, v1::Job::FAILED, v1::Job::CANCELLED}) {
    choices.push_back(View().Text("word", StateText(state)).If("chosen", state == chosen));
  }
  return choices;
}

// The same list from another page on.
std::string PageLink(const PageContext& context, const std::string& token) {
  std::string link = context.request.path + "?";
  for (const auto& [name, value] : context.request.query) {
    if (name != "page" && !value.empty()) absl::StrAppend(&link, UrlEncoded(name), "=", UrlEncoded(value), "&");
  }
  return link + "page=" + UrlEncoded(token);
}

View TaskRow(const v1::Task& task) {
  View row;
  row.Text("key", task.key())
      .Text("state", absl::AsciiStrToLower(v1::Task::State_Name(task.state())))
      .If("cached", task.cached())
      .Text("attempts", absl::StrCat(task.attempts()))
      .Text("worker", IdOf(task.worker()))
      .Text("seconds", task.seconds() > 0 ? SecondsText(task.seconds()) : "")
      .Optional("error", task.has_error() ? ErrorText(task.error()) : "");
  PutShare(row, task.state() == v1::Task::DONE ? 1 : task.progress());
  return row;
}

}  // namespace

absl::StatusOr<HttpResponse> ShowStart(const PageContext&) { return GoTo("/jobs"); }

absl::StatusOr<HttpResponse> ShowJobs(const PageContext& context) {
  const HttpRequest& asked = context.request;
  v1::ListJobsRequest request;
  request.set_page_size(kPage);
  request.set_page_token(asked.Query("page"));
  request.set_state(StateOf(asked.Query("state")));
  request.set_filter(asked.Query("filter"));
  const bool oldest = asked.Query("order") == "oldest";
  if (oldest) request.set_order_by(kOldestFirst);
  ABSL_ASSIGN_OR_RETURN(const v1::ListJobsResponse listed, context.gateway.ListJobs(request));
  View::Items jobs;
  for (const v1::Job& job : listed.jobs()) jobs.push_back(JobRow(job, context.site.clock.Now()));
  const std::string& next = listed.next_page_token();
  return MakePage(context, "Jobs", "jobs",
                  View()
                      .If("any", listed.jobs_size() > 0)
                      .If("later", !asked.Query("page").empty())
                      .Each("states", StateChoices(request.state()))
                      .Text("filter", request.filter())
                      .If("oldest", oldest)
                      .Each("jobs", std::move(jobs))
                      .Optional("next", next.empty() ? "" : PageLink(context, next)));
}

absl::StatusOr<HttpResponse> ShowJob(const PageContext& context) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, context.gateway.GetJob(JobName(context)));
  std::vector<v1::Report> reports;
  for (int goal = 0; job.state() == v1::Job::SUCCEEDED && goal < static_cast<int>(GoalsOf(job.spec()).size()); ++goal) {
    ABSL_ASSIGN_OR_RETURN(v1::Report report, context.gateway.GetReport(job.name(), goal));
    reports.push_back(std::move(report));
  }
  return MakePage(context, DisplayName(job.name(), job.spec().display_name()), "job",
                  JobView(job, reports, context.site.clock.Now()));
}

absl::StatusOr<HttpResponse> ShowTasks(const PageContext& context) {
  v1::ListTasksRequest request;
  request.set_parent(JobName(context));
  request.set_page_size(kTasksPage);
  request.set_page_token(context.request.Query("page"));
  ABSL_ASSIGN_OR_RETURN(const v1::ListTasksResponse listed, context.gateway.ListTasks(request));
  View::Items tasks;
  for (const v1::Task& task : listed.tasks()) tasks.push_back(TaskRow(task));
  const std::string& next = listed.next_page_token();
  return MakePage(context, "Tasks", "tasks",
                  View()
                      .Text("id", context.arguments[0])
                      .If("any", listed.tasks_size() > 0)
                      .Each("tasks", std::move(tasks))
                      .Optional("next", next.empty() ? "" : PageLink(context, next)));
}

absl::StatusOr<HttpResponse> CancelJob(const PageContext& context) {
  ABSL_RETURN_IF_ERROR(context.gateway.CancelJob(JobName(context)).status());
  return GoTo("/jobs/" + context.arguments[0]);
}

absl::StatusOr<HttpResponse> RetryJob(const PageContext& context) {
  v1::RetryJobRequest request;
  request.set_name(JobName(context));
  request.set_request_id(context.form.Field("request_id"));
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, context.gateway.RetryJob(request));
  return GoTo("/" + job.name());
}

}  // namespace bitwright::server
