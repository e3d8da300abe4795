#include "client/cli/worker_commands.h"

#include "absl/strings/str_cat.h"
#include "client/cli/find_resource.h"
#include "client/cli/resource_text.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {
namespace {

std::string StandsText(const v1::Worker& worker) {
  return absl::StrCat(worker.name(), " is ", v1::Worker::State_Name(worker.state()),
                      worker.tasks_size() == 0 ? "" : absl::StrCat(" and runs ", worker.tasks_size(), " tasks"));
}

absl::StatusOr<ExitCode> Steer(const CommandContext& context, Client& client,
                               absl::StatusOr<v1::Worker> (Client::*call)(const std::string& name)) {
  ABSL_ASSIGN_OR_RETURN(const std::string name, FindWorker(client, context.options.name));
  ABSL_ASSIGN_OR_RETURN(const v1::Worker worker, (client.*call)(name));
  context.console.Result(StandsText(worker), worker);
  return ExitCode::kOk;
}

}  // namespace

absl::StatusOr<ExitCode> WorkerList(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(auto workers, client.ListWorkers());
  if (static_cast<int>(workers.size()) > context.options.most)
    workers.resize(static_cast<size_t>(context.options.most));
  v1::ListWorkersResponse all;
  all.mutable_workers()->Add(workers.begin(), workers.end());
  context.console.Result(WorkerTable(workers), all);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> WorkerCordon(const CommandContext& context, Client& client) {
  return Steer(context, client, &Client::CordonWorker);
}

absl::StatusOr<ExitCode> WorkerUncordon(const CommandContext& context, Client& client) {
  return Steer(context, client, &Client::UncordonWorker);
}

absl::StatusOr<ExitCode> WorkerDrain(const CommandContext& context, Client& client) {
  return Steer(context, client, &Client::DrainWorker);
}

}  // namespace bitwright::client
