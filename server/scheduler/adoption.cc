#include "server/scheduler/adoption.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "proto/contract/names.h"
#include "server/scheduler/progress.h"

namespace bitwright::server {
namespace {

// True: it is there and unfinished.
absl::StatusOr<bool> LoadModel(Owner& owner, Snapshot& snapshot) {
  ABSL_ASSIGN_OR_RETURN(const std::optional<ModelRow> row, snapshot.GetModel(owner.name));
  if (!row || !row->unfinished) return false;
  ModelWork work{.row = *row};
  CHECK(work.model.ParseFromString(row->body)) << owner.name;
  owner.work = std::move(work);
  return true;
}

absl::StatusOr<bool> LoadJob(Owner& owner, Snapshot& snapshot, absl::Time now) {
  ABSL_ASSIGN_OR_RETURN(const std::optional<JobRow> row, snapshot.GetJob(owner.name));
  if (!row || !row->unfinished) return false;
  ABSL_ASSIGN_OR_RETURN(const std::optional<ModelRow> model, snapshot.GetModel(row->model));
  CHECK(model.has_value()) << owner.name << " is unfinished but has no model";
  JobWork work{.row = *row};
  CHECK(work.job.ParseFromString(row->body)) << owner.name;
  CHECK(work.resolved.recipe.ParseFromString(row->recipe)) << owner.name;
  CHECK(work.resolved.model.ParseFromString(model->body)) << owner.name;
  work.resolved.spec = work.job.spec();
  ABSL_ASSIGN_OR_RETURN(const BlobDigest info, ParseDigest(model->info));
  work.resolved.info = ToProto(info);
  // Revisions of before a restart may have run ahead of the stored one, but never of the clock.
  work.job.set_revision(std::max(work.job.revision() + 1, ToMicros(now)));
  owner.work = std::move(work);
  return true;
}

}  // namespace

absl::Status Adopt(Core& core, const std::string& name) {
  if (core.board.FindOwner(name) != nullptr) return absl::OkStatus();
  auto owner = std::make_unique<Owner>();
  owner->name = name;
  bool unfinished = false;
  ABSL_RETURN_IF_ERROR(core.store.Read([&](Snapshot& snapshot) -> absl::Status {
    const bool is_model = ParseResourceName(name, Collection::kModels).ok();
    ABSL_ASSIGN_OR_RETURN(unfinished,
                          is_model ? LoadModel(*owner, snapshot) : LoadJob(*owner, snapshot, core.clock.Now()));
    ABSL_ASSIGN_OR_RETURN(std::vector<TaskRow> rows, snapshot.TasksOf(name));
    for (TaskRow& row : rows) owner->stored.emplace(row.key, std::move(row));
    return absl::OkStatus();
  }));
  if (unfinished) Advance(core, core.board.Add(std::move(owner)));
  return absl::OkStatus();
}

absl::Status AdoptAll(Core& core) {
  std::vector<std::string> models;
  std::vector<std::string> jobs;
  ABSL_RETURN_IF_ERROR(core.store.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(models, snapshot.UnfinishedModels());
    ABSL_ASSIGN_OR_RETURN(jobs, snapshot.UnfinishedJobs());
    return absl::OkStatus();
  }));
  for (const std::string& model : models) ABSL_RETURN_IF_ERROR(Adopt(core, model));
  for (const std::string& job : jobs) ABSL_RETURN_IF_ERROR(Adopt(core, job));
  return absl::OkStatus();
}

}  // namespace bitwright::server
