#include "server/scheduler/ending.h"

#include <string>
#include <variant>
#include <vector>

#include "google/rpc/status.pb.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "proto/contract/rpc_status.h"
#include "proto/contract/task_names.h"
#include "server/jobs/job_state.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

// The row to write, and the blobs that the owner names from now on.
struct Ending {
  std::variant<ModelRow, JobRow> row;
  std::vector<BlobDigest> kept;
};

absl::StatusOr<BlobDigest> OutputOfKind(const Owner& owner, const char* kind, const char* output) {
  const LiveTask* task = owner.OfKind(kind);
  if (task == nullptr) return OutputMissingError(kind, output);
  ABSL_ASSIGN_OR_RETURN(const v1::Digest digest, OutputOf(*task, output));
  return FromProto(digest);
}

ModelRow EndedRow(const ModelWork& work, const v1::Model& model) {
  ModelRow row = work.row;
  row.unfinished = false;
  row.body = model.SerializeAsString();
  return row;
}

JobRow EndedRow(const JobWork& work, v1::Job job, absl::Time now) {
  job.set_revision(job.revision() + 1);
  *job.mutable_end_time() = ToProto(now);
  job.clear_waiting();
  // A task that a cancelled or failed job leaves behind still runs for a moment, but no longer for this job.
  for (v1::Stage& stage : *job.mutable_stages()) stage.set_running(0);
  JobRow row = work.row;
  row.state = job.state();
  row.unfinished = false;
  row.body = job.SerializeAsString();
  return row;
}

absl::Status PutTasks(Transaction& tx, const Owner& owner) {
  for (const LiveTask& task : owner.tasks) {
    if (task.row.state == TaskState::kDone || task.row.fencing_token == 0) continue;
    TaskRow row = task.row;
    MoveTask(row, TaskEvent::kOwnerEnded);
    ABSL_RETURN_IF_ERROR(tx.PutTask(row));
  }
  return absl::OkStatus();
}

absl::Status End(Core& core, Owner& owner, const Ending& ending) {
  ABSL_RETURN_IF_ERROR(core.store.Write([&](Transaction& tx) -> absl::Status {
    if (const ModelRow* model = std::get_if<ModelRow>(&ending.row)) ABSL_RETURN_IF_ERROR(tx.PutModel(*model));
    if (const JobRow* job = std::get_if<JobRow>(&ending.row)) ABSL_RETURN_IF_ERROR(tx.PutJob(*job));
    ABSL_RETURN_IF_ERROR(PutTasks(tx, owner));
    ABSL_RETURN_IF_ERROR(tx.ClearReferences(TasksReference(owner.name)));
    return tx.AddReferences(owner.name, ending.kept);
  }));
  Forget(core, owner);
  return absl::OkStatus();
}

absl::StatusOr<Ending> ModelReady(Core& core, const Owner& owner, const ModelWork& work) {
  ABSL_ASSIGN_OR_RETURN(const BlobDigest info, OutputOfKind(owner, TaskKind::kInspect, TaskFile::kInfo));
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, core.blobs.ReadWhole(info));
  v1::Model model = work.model;
  if (!model.mutable_info()->ParseFromString(bytes)) return OutputInvalidError(TaskKind::kInspect, TaskFile::kInfo);
  model.set_state(v1::Model::READY);
  ModelRow row = EndedRow(work, model);
  row.info = info.ToString();
  return Ending{std::move(row), {info}};
}

absl::StatusOr<Ending> JobSucceeded(Core& core, const Owner& owner, const JobWork& work) {
  ABSL_ASSIGN_OR_RETURN(const BlobDigest manifest, OutputOfKind(owner, TaskKind::kAssemble, TaskFile::kManifest));
  ABSL_ASSIGN_OR_RETURN(const BlobDigest report, OutputOfKind(owner, TaskKind::kReport, TaskFile::kReport));
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, core.blobs.ReadWhole(manifest));
  v1::Job job = ComposeJob(owner);
  if (!job.mutable_artifact()->ParseFromString(bytes)) {
    return OutputInvalidError(TaskKind::kAssemble, TaskFile::kManifest);
  }
  *job.mutable_report() = ToProto(report);
  ABSL_ASSIGN_OR_RETURN(const v1::Job::State state, NextJobState(job.state(), JobEvent::kAllTasksDone));
  job.set_state(state);
  job.set_progress(1);
  std::vector<BlobDigest> kept = {manifest, report};
  for (const v1::FileEntry& file : job.artifact().files()) {
    ABSL_ASSIGN_OR_RETURN(BlobDigest digest, FromProto(file.digest()));
    kept.push_back(std::move(digest));
  }
  return Ending{EndedRow(work, std::move(job), core.clock.Now()), std::move(kept)};
}

// A job that ends without an artifact.
absl::StatusOr<Ending> JobEnded(Core& core, const Owner& owner, JobEvent event, const absl::Status& error) {
  v1::Job job = ComposeJob(owner);
  ABSL_ASSIGN_OR_RETURN(const v1::Job::State state, NextJobState(job.state(), event));
  job.set_state(state);
  if (!error.ok()) *job.mutable_error() = ToProto(error);
  return Ending{EndedRow(*owner.job(), std::move(job), core.clock.Now()), {}};
}

Ending ModelRejected(const ModelWork& work, const absl::Status& error) {
  v1::Model model = work.model;
  model.set_state(v1::Model::REJECTED);
  *model.mutable_error() = ToProto(error);
  return {EndedRow(work, model), {}};
}

}  // namespace

absl::Status FinishOwner(Core& core, Owner& owner) {
  const ModelWork* model = owner.model();
  ABSL_ASSIGN_OR_RETURN(const Ending ending,
                        model != nullptr ? ModelReady(core, owner, *model) : JobSucceeded(core, owner, *owner.job()));
  return End(core, owner, ending);
}

absl::Status FailOwner(Core& core, Owner& owner, const absl::Status& error) {
  owner.failure = error;
  LOG(INFO) << owner.name << " failed: " << error.ToString();
  const ModelWork* model = owner.model();
  ABSL_ASSIGN_OR_RETURN(const Ending ending, model != nullptr ? ModelRejected(*model, error)
                                                              : JobEnded(core, owner, JobEvent::kTaskFailed, error));
  absl::Status status = End(core, owner, ending);
  if (!status.ok()) {
    LOG(ERROR) << owner.name << " cannot be ended yet: " << status.ToString();
    owner.stuck = true;
  }
  return status;
}

absl::Status CancelJob(Core& core, Owner& owner) {
  ABSL_ASSIGN_OR_RETURN(const Ending ending, JobEnded(core, owner, JobEvent::kCancelRequested, absl::OkStatus()));
  return End(core, owner, ending);
}

}  // namespace bitwright::server
