#include "server/resources/tasks.h"

#include <optional>
#include <utility>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "server/resources/pages.h"
#include "server/scheduler/task_view.h"

namespace bitwright::server {

absl::Status TaskResources::CheckParent(const CallContext& call, const std::string& parent) {
  if (ParseResourceName(parent, Collection::kModels).ok()) return models_.Get(call, parent).status();
  return jobs_.CheckVisible(call, parent);
}

absl::StatusOr<std::vector<v1::Task>> TaskResources::Read(const std::string& parent, const std::string& after,
                                                          int limit) {
  if (std::optional<std::vector<v1::Task>> live = scheduler_.LiveTasks(parent, after, limit)) return *std::move(live);
  std::vector<v1::Task> tasks;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::vector<TaskRow> rows, snapshot.TasksPage(parent, after, limit));
    tasks.clear();
    for (const TaskRow& row : rows) tasks.push_back(ViewRow(row));
    return absl::OkStatus();
  }));
  return tasks;
}

absl::StatusOr<v1::ListTasksResponse> TaskResources::List(const CallContext& call,
                                                          const v1::ListTasksRequest& request) {
  ABSL_RETURN_IF_ERROR(CheckParent(call, request.parent()));
  const std::string query = "ListTasks|" + request.parent();
  ABSL_ASSIGN_OR_RETURN(const NamedPage page, ParseNamedPage(request.page_size(), request.page_token(), query));
  ABSL_ASSIGN_OR_RETURN(std::vector<v1::Task> tasks, Read(request.parent(), page.beyond, page.size + 1));
  v1::ListTasksResponse response;
  for (v1::Task& task : tasks) {
    if (response.tasks_size() == page.size) {
      response.set_next_page_token(NamedPageToken(response.tasks(page.size - 1).key(), query));
      break;
    }
    *response.add_tasks() = std::move(task);
  }
  return response;
}

absl::StatusOr<v1::Task> TaskResources::Requeue(const CallContext&, const std::string& name) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kTasks).status());
  ABSL_RETURN_IF_ERROR(scheduler_.RequeueTask(name));
  if (std::optional<v1::Task> now = scheduler_.TaskNow(name)) return *std::move(now);
  v1::Task gone;  // its job ended since
  gone.set_name(name);
  return gone;
}

}  // namespace bitwright::server
