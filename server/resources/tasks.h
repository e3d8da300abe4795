#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "server/auth/call_context.h"
#include "server/resources/jobs.h"
#include "server/resources/models.h"
#include "server/scheduler/scheduler.h"
#include "server/store/store.h"

namespace bitwright::server {

// Tasks as clients and operators name them. Of an unfinished job or model they come from memory, page by page, of a
// finished one from its rows. Thread-safe.
class TaskResources {
 public:
  TaskResources(Store& store, Scheduler& scheduler, JobResources& jobs, ModelResources& models)
      : store_(store), scheduler_(scheduler), jobs_(jobs), models_(models) {}

  // Those of a job or model of the caller's tenant. Errors as in JobService.
  absl::StatusOr<v1::ListTasksResponse> List(const CallContext& call, const v1::ListTasksRequest& request);
  // Of any tenant. Errors as in OperatorService.
  absl::StatusOr<v1::Task> Requeue(const CallContext& call, const std::string& name);

 private:
  absl::Status CheckParent(const CallContext& call, const std::string& parent);
  absl::StatusOr<std::vector<v1::Task>> Read(const std::string& parent, const std::string& after, int limit);

  Store& store_;
  Scheduler& scheduler_;
  JobResources& jobs_;
  ModelResources& models_;
};

}  // namespace bitwright::server
