#include "client/cli/job_commands.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "client/api/json.h"
#include "client/cli/cli_errors.h"
#include "client/cli/deliver.h"
#include "client/cli/find_resource.h"
#include "client/cli/follow.h"
#include "client/cli/labels.h"
#include "client/cli/resource_text.h"
#include "client/cli/task_text.h"
#include "proto/base/status_macros.h"
#include "proto/report/job_goals.h"
#include "proto/report/report_text.h"

namespace bitwright::client {
namespace {

absl::StatusOr<v1::Job> Named(const CommandContext& context, Client& client) {
  return FindJob(client, context.options.name);
}

v1::Job::State ParseState(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  v1::Job::State state = v1::Job::STATE_UNSPECIFIED;
  v1::Job::State_Parse(text, &state);  // the parser of the command line has checked it; empty stays unspecified
  return state;
}

absl::StatusOr<v1::ListJobsRequest> ListRequest(const Options& options) {
  v1::ListJobsRequest request;
  request.set_state(ParseState(options.state));
  if (options.order == "oldest") request.set_order_by("create_time");
  std::string filter = options.filter;
  ABSL_ASSIGN_OR_RETURN(const auto labels, ParseLabels(options.job.labels));
  for (const auto& [key, value] : labels) {
    absl::StrAppend(&filter, filter.empty() ? "" : " AND ", Condition("labels." + key, value));
  }
  request.set_filter(filter);
  return request;
}

// Indices of the goals that --goal chooses: one, or all. GOAL_UNKNOWN.
absl::StatusOr<std::vector<int>> ChosenGoals(const Options& options, const v1::Job& job) {
  const size_t goals = GoalsOf(job.spec()).size();
  if (static_cast<size_t>(options.goal) > goals) return GoalUnknownError(options.goal, job.name(), goals);
  if (options.goal > 0) return std::vector<int>{options.goal - 1};
  std::vector<int> all(goals);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

absl::StatusOr<ExitCode> JobList(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::ListJobsRequest request, ListRequest(context.options));
  ABSL_ASSIGN_OR_RETURN(const auto jobs, client.ListJobs(request, context.options.most));
  v1::ListJobsResponse all;
  all.mutable_jobs()->Add(jobs.begin(), jobs.end());
  context.console.Result(JobTable(jobs, kSystemClock.Now()), all);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobShow(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, Named(context, client));
  context.console.Result(JobText(job, kSystemClock.Now()), job);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobWatch(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job found, Named(context, client));
  const bool json = context.console.style().json;
  const auto ended = Follow(context, client, found.name(), [&](const v1::Job& now) {
    if (json) context.console.Line(now);
  });
  context.progress.Finish();
  if (absl::IsCancelled(ended.status())) {
    context.console.Note(absl::StrCat(found.name(), " goes on at the server; to follow it again: bitwright job watch ",
                                      found.name(), "; to end it: bitwright job cancel ", found.name()));
  }
  ABSL_RETURN_IF_ERROR(ended.status());
  if (ended->state() != v1::Job::SUCCEEDED) return ReportBadEnd(context, *ended);
  if (!json) context.console.Result(JobText(*ended, kSystemClock.Now()), *ended);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobCancel(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job found, Named(context, client));
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, client.CancelJob(found.name()));
  context.console.Result(job.name() + " is cancelled", job);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobReport(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job found, Named(context, client));
  ABSL_ASSIGN_OR_RETURN(const std::vector<int> chosen, ChosenGoals(context.options, found));
  if (chosen.size() == 1) {
    ABSL_ASSIGN_OR_RETURN(const v1::Report report, client.GetReport(found.name(), chosen.front()));
    context.console.Result(ReportText(report), report);
    return ExitCode::kOk;
  }
  const std::vector<v1::Goal> goals = GoalsOf(found.spec());
  std::string text;
  std::string list;
  for (const int goal : chosen) {
    ABSL_ASSIGN_OR_RETURN(const v1::Report report, client.GetReport(found.name(), goal));
    absl::StrAppend(&text, text.empty() ? "" : "\n\n", "==== goal ", goal + 1, " of ", goals.size(), ": ",
                    GoalText(goals[static_cast<size_t>(goal)]), "\n\n", ReportText(report));
    absl::StrAppend(&list, list.empty() ? "[" : ",\n", ToJson(report));
  }
  context.console.Result(text, list + "]");
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobRetry(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job found, Named(context, client));
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, client.RetryJob(found.name()));
  context.console.Result(job.name(), job);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobTasks(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job found, Named(context, client));
  ABSL_ASSIGN_OR_RETURN(std::vector<v1::Task> tasks, client.ListTasks(found.name()));
  SortForPeople(found, tasks);
  v1::ListTasksResponse all;
  all.mutable_tasks()->Add(tasks.begin(), tasks.end());
  context.console.Result(TaskTable(tasks), all);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobDelete(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job found, Named(context, client));
  ABSL_RETURN_IF_ERROR(client.DeleteJob(found.name()));
  context.console.Result("deleted " + found.name(), v1::DeleteJobResponse());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ArtifactDownload(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, Named(context, client));
  ABSL_ASSIGN_OR_RETURN(const std::vector<int> chosen, ChosenGoals(context.options, job));
  const std::vector<std::string> all = GoalNames(GoalsOf(job.spec()));
  std::vector<std::string> names;
  names.reserve(chosen.size());
  for (const int goal : chosen) names.push_back(all[static_cast<size_t>(goal)]);
  std::vector<Delivery> deliveries = DeliveriesTo(context.options.out, context.options.force, names);
  for (size_t d = 0; d < chosen.size(); ++d) deliveries[d].index = chosen[d];
  ABSL_RETURN_IF_ERROR(Deliver(context, client, job, deliveries));
  context.progress.Finish();
  const bool json = context.console.style().json;
  context.console.Result(json ? "" : DeliveryText(job, deliveries), json ? DeliveryJson(job, deliveries, {}) : "");
  return ExitCode::kOk;
}

}  // namespace bitwright::client
