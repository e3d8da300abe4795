#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/rpc_status.h"
#include "proto/contract/task_names.h"
#include "server/jobs/job_state.h"
#include "server/scheduler/scheduler.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

absl::StatusOr<BlobDigest> OutputOfKind(const Owner& owner, std::string_view kind, const std::string& output) {
  for (const LiveTask& task : owner.tasks) {
    if (task.node.spec.kind() != kind) continue;
    ABSL_ASSIGN_OR_RETURN(const v1::Digest digest, OutputOf(task, output));
    return FromProto(digest);
  }
  return OutputMissing(kind, output);
}

}  // namespace

absl::Status Scheduler::FinishModel(Owner& owner) {
  ABSL_ASSIGN_OR_RETURN(const BlobDigest info, OutputOfKind(owner, TaskKind::kInspect, TaskFile::kInfo));
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, blobs_.ReadWhole(info));
  v1::Model model = owner.model;
  if (!model.mutable_info()->ParseFromString(bytes)) return OutputInvalid(TaskKind::kInspect, TaskFile::kInfo);
  model.set_state(v1::Model::READY);
  Ending ending;
  ending.model = owner.model_row;
  ending.model->body = model.SerializeAsString();
  ending.model->info = info.ToString();
  ending.kept = {info};
  return End(owner, ending);
}

absl::Status Scheduler::FinishJob(Owner& owner) {
  ABSL_ASSIGN_OR_RETURN(const BlobDigest manifest, OutputOfKind(owner, TaskKind::kAssemble, TaskFile::kManifest));
  ABSL_ASSIGN_OR_RETURN(const BlobDigest report, OutputOfKind(owner, TaskKind::kReport, TaskFile::kReport));
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, blobs_.ReadWhole(manifest));
  v1::Job job = ComposeJob(owner);
  if (!job.mutable_artifact()->ParseFromString(bytes)) return OutputInvalid(TaskKind::kAssemble, TaskFile::kManifest);
  *job.mutable_report() = ToProto(report);
  ABSL_ASSIGN_OR_RETURN(const v1::Job::State state, NextJobState(job.state(), JobEvent::kAllTasksDone));
  job.set_state(state);
  Ending ending;
  ending.job = owner.job_row;
  ending.job->body = job.SerializeAsString();
  ending.kept = {manifest, report};
  for (const v1::FileEntry& file : job.artifact().files()) {
    ABSL_ASSIGN_OR_RETURN(BlobDigest digest, FromProto(file.digest()));
    ending.kept.push_back(std::move(digest));
  }
  return End(owner, ending);
}

absl::Status Scheduler::Fail(Owner& owner, const absl::Status& error) {
  owner.failure = error;
  Ending ending;
  if (owner.is_model) {
    v1::Model model = owner.model;
    model.set_state(v1::Model::REJECTED);
    *model.mutable_error() = ToProto(error);
    ending.model = owner.model_row;
    ending.model->body = model.SerializeAsString();
  } else {
    v1::Job job = ComposeJob(owner);
    ABSL_ASSIGN_OR_RETURN(const v1::Job::State state, NextJobState(job.state(), JobEvent::kTaskFailed));
    job.set_state(state);
    *job.mutable_error() = ToProto(error);
    ending.job = owner.job_row;
    ending.job->body = job.SerializeAsString();
  }
  LOG(INFO) << owner.name << " failed: " << error.ToString();
  absl::Status status = End(owner, ending);
  if (!status.ok()) {
    LOG(ERROR) << owner.name << " cannot be ended yet: " << status.ToString();
    owner.stuck = true;
  }
  return status;
}

absl::Status Scheduler::End(Owner& owner, const Ending& ending) {
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    if (ending.model) {
      ModelRow row = *ending.model;
      row.unfinished = false;
      ABSL_RETURN_IF_ERROR(tx.PutModel(row));
    }
    if (ending.job) {
      JobRow row = *ending.job;
      v1::Job job;
      CHECK(job.ParseFromString(row.body)) << row.name;
      job.set_revision(job.revision() + 1);
      *job.mutable_end_time() = bitwright::ToProto(TimeFromMicros(ToMicros(clock_.Now())));
      // A task that a cancelled or failed job leaves behind still runs for a moment, but no longer for this job.
      for (v1::Stage& stage : *job.mutable_stages()) stage.set_running(0);
      row.body = job.SerializeAsString();
      row.state = job.state();
      row.unfinished = false;
      ABSL_RETURN_IF_ERROR(tx.PutJob(row));
    }
    for (const LiveTask& task : owner.tasks) {
      if (task.row.state == TaskState::kDone || task.row.fencing_token == 0) continue;
      TaskRow row = task.row;
      if (row.state != TaskState::kFailed) row.state = TaskState::kCancelled;
      ABSL_RETURN_IF_ERROR(tx.PutTask(row));
    }
    ABSL_RETURN_IF_ERROR(tx.ClearReferences(owner.TasksReference()));
    return tx.AddReferences(owner.name, ending.kept);
  }));
  Forget(owner);
  return absl::OkStatus();
}

void Scheduler::Forget(Owner& owner) {
  Changed(owner);
  ++advances_;
  for (const LiveTask& task : owner.tasks) {
    if (task.row.state == TaskState::kLeased) StopRunning(task);
    tasks_.erase(task.row.name);
  }
  owners_.erase(std::string(owner.name));
}

}  // namespace bitwright::server
