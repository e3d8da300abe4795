#include "server/scheduler/ending.h"

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "proto/contract/rpc_status.h"
#include "proto/contract/task_names.h"
#include "server/jobs/job_state.h"
#include "server/jobs/stamp.h"
#include "server/scheduler/end_counts.h"
#include "server/scheduler/job_spans.h"
#include "server/scheduler/planning.h"
#include "server/scheduler/routing.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

// The row to write, and the blobs that the owner names from now on.
struct Ending {
  std::variant<ModelRow, JobRow> row;
  std::vector<BlobDigest> kept;
  std::string failure;  // of a job that failed, the reason
};

absl::StatusOr<BlobDigest> OutputOfKey(const Owner& owner, const std::string& key, const char* output) {
  const LiveTask* task = owner.Find(key);
  if (task == nullptr) return OutputMissingError(key, output);
  ABSL_ASSIGN_OR_RETURN(const v1::Digest digest, OutputOf(*task, output));
  return FromProto(digest);
}

ModelRow EndedRow(const ModelWork& work, v1::Model model, absl::Time now) {
  Stamp(model, now);
  ModelRow row = work.row;
  row.unfinished = false;
  row.body = model.SerializeAsString();
  return row;
}

JobRow EndedRow(const JobWork& work, v1::Job job, absl::Time now) {
  Stamp(job, now);
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

// What a task that has not ended becomes.
void CancelTasks(const Owner& owner, absl::Time now, Change& change) {
  for (const LiveTask& task : owner.tasks) {
    if (task.row.state == TaskState::kDone || task.row.fencing_token == 0) continue;
    TaskRow row = task.row;
    if (row.state == TaskState::kLeased) row.end_micros = ToMicros(now);
    if (task.failure.empty()) {
      MoveTask(row, TaskEvent::kOwnerEnded);
    } else {
      MoveTask(row, TaskEvent::kFailed);
      row.error = task.failure;
    }
    change.tasks.push_back(std::move(row));
  }
}

Change ToChange(const Owner& owner, const Ending& ending, absl::Time now) {
  Change change;
  if (const ModelRow* model = std::get_if<ModelRow>(&ending.row)) change.model = *model;
  if (const JobRow* job = std::get_if<JobRow>(&ending.row)) change.job = *job;
  CancelTasks(owner, now, change);
  change.cleared_references = {TasksReference(owner.name)};
  change.references = {{owner.name, owner.tenant(), ending.kept}};
  return change;
}

// The files that an import made: those that its task handed in under the names of its manifest.
absl::Status TakeImported(const Owner& owner, const v1::Manifest& rewritten, v1::Model& model,
                          std::vector<BlobDigest>& kept) {
  const LiveTask* import = owner.OfKind(TaskKind::kImport);
  if (import == nullptr) return OutputMissingError(TaskKind::kImport, TaskFile::kManifest);
  for (const v1::FileEntry& file : rewritten.files()) {
    ABSL_ASSIGN_OR_RETURN(const v1::Digest output, OutputOf(*import, ArtifactFileName(file.path())));
    ABSL_ASSIGN_OR_RETURN(BlobDigest digest, FromProto(output));
    v1::FileEntry& entry = *model.mutable_imported()->add_files();
    entry.set_path(file.path());
    *entry.mutable_digest() = output;
    kept.push_back(std::move(digest));
  }
  return absl::OkStatus();
}

absl::StatusOr<Ending> ModelReady(const Core& core, const Owner& owner, const ModelWork& work) {
  const v1::ModelInfo* found = work.facts.info();
  const std::string key =
      work.facts.NeedsImport() ? TaskKey(TaskKind::kInspect, TaskUse::kImported) : TaskKind::kInspect;
  const LiveTask* inspect = owner.Find(key);
  if (found == nullptr || inspect == nullptr) return OutputMissingError(key, TaskFile::kInfo);
  ABSL_ASSIGN_OR_RETURN(const v1::Digest output, OutputOf(*inspect, TaskFile::kInfo));
  ABSL_ASSIGN_OR_RETURN(const BlobDigest info, FromProto(output));
  v1::Model model = work.model;
  *model.mutable_info() = *found;
  std::vector<BlobDigest> kept = {info};
  if (work.facts.NeedsImport()) ABSL_RETURN_IF_ERROR(TakeImported(owner, *work.facts.rewritten, model, kept));
  model.set_state(v1::Model::READY);
  ModelRow row = EndedRow(work, std::move(model), core.clock.Now());
  row.info = info.ToString();
  return Ending{std::move(row), std::move(kept)};
}

// What one goal of a job has come to, in the job, and the blobs that it names.
absl::Status TakeOutcome(const Owner& owner, int goal, v1::Job& job, std::vector<BlobDigest>& kept) {
  const std::string assemble = GoalKey(TaskKind::kAssemble, goal), report = GoalKey(TaskKind::kReport, goal);
  const GoalFacts& facts = std::as_const(owner.job()->facts).goal(goal);
  if (!facts.artifact) return OutputMissingError(assemble, TaskFile::kManifest);
  ABSL_ASSIGN_OR_RETURN(BlobDigest manifest, OutputOfKey(owner, assemble, TaskFile::kManifest));
  ABSL_ASSIGN_OR_RETURN(BlobDigest written, OutputOfKey(owner, report, TaskFile::kReport));
  v1::Outcome& outcome = *job.add_outcomes();
  *outcome.mutable_goal() = owner.job()->resolved->goals[static_cast<size_t>(goal)].goal;
  *outcome.mutable_artifact() = *facts.artifact;
  *outcome.mutable_report() = ToProto(written);
  kept.push_back(std::move(manifest));
  kept.push_back(std::move(written));
  for (const v1::FileEntry& file : facts.artifact->files()) {
    ABSL_ASSIGN_OR_RETURN(BlobDigest digest, FromProto(file.digest()));
    kept.push_back(std::move(digest));
  }
  return absl::OkStatus();
}

absl::StatusOr<Ending> JobSucceeded(const Core& core, const Owner& owner, const JobWork& work) {
  v1::Job job = ComposeJob(owner);
  std::vector<BlobDigest> kept;
  for (int g = 0; g < static_cast<int>(work.resolved->goals.size()); ++g) {
    ABSL_RETURN_IF_ERROR(TakeOutcome(owner, g, job, kept));
  }
  *job.mutable_artifact() = job.outcomes(0).artifact();
  *job.mutable_report() = job.outcomes(0).report();
  ABSL_ASSIGN_OR_RETURN(const v1::Job::State state, NextJobState(job.state(), JobEvent::kAllTasksDone));
  job.set_state(state);
  job.set_progress(1);
  return Ending{EndedRow(work, std::move(job), core.clock.Now()), std::move(kept)};
}

// A job that ends without an artifact.
absl::StatusOr<Ending> JobEnded(const Core& core, const Owner& owner, JobEvent event, const absl::Status& error) {
  v1::Job job = ComposeJob(owner);
  ABSL_ASSIGN_OR_RETURN(const v1::Job::State state, NextJobState(job.state(), event));
  job.set_state(state);
  if (!error.ok()) *job.mutable_error() = ToProto(error);
  return Ending{EndedRow(*owner.job(), std::move(job), core.clock.Now()), {}, ErrorReason(error)};
}

Ending ModelRejected(const Core& core, const ModelWork& work, const absl::Status& error) {
  v1::Model model = work.model;
  model.set_state(v1::Model::REJECTED);
  *model.mutable_error() = ToProto(error);
  return {EndedRow(work, std::move(model), core.clock.Now()), {}};
}

using MakeEnding = std::function<absl::StatusOr<Ending>(const Core&, const Owner&)>;

// Its spans, as it was written down.
void TellSpans(Core& core, Owner& owner, const JobRow& row) {
  v1::Job job;
  if (owner.job()->trace && job.ParseFromString(row.body)) TellEnd(core, owner, job);
}

// The end is durable.
void OnEnded(Core& core, Owner& owner, const Ending& ending, const Answer& answer) {
  const JobRow* job = std::get_if<JobRow>(&ending.row);
  const std::string_view state = job != nullptr ? JobStateName(static_cast<v1::Job::State>(job->state)) : "inspected";
  LOG(INFO).With(job != nullptr ? "job" : "model", owner.name).With("state", state) << "ended";
  if (job != nullptr) {
    CountEnd(core.metrics, *owner.job(), static_cast<v1::Job::State>(job->state), ending.failure);
    TellSpans(core, owner, *job);
  }
  Tell(core, answer, absl::OkStatus());
  Forget(core, owner);
  core.window.Fill(core);
}

// A job that cannot be cancelled now goes on; any other end is tried again.
void OnRefusedEnd(Core& core, Owner& owner, bool must, const Answer& answer, const absl::Status& fate) {
  if (must) return Refused(core, owner, fate);
  owner.closing = false;
  owner.end = nullptr;
  Tell(core, answer, fate);
  for (const Answer& other : std::exchange(owner.when_ended, {})) Tell(core, other, fate);
  RouteReady(core, owner);
  Advance(core, owner);
}

void WriteEnd(Core& core, Owner& owner, const MakeEnding& make, bool must, const Answer& answer) {
  const absl::StatusOr<Ending> ending = make(core, owner);
  if (!ending.ok()) {
    owner.closing = false;
    if (!must) return Tell(core, answer, ending.status());
    return FailOwner(core, owner, ending.status(), answer);
  }
  owner.end_written = true;
  Commit(core, owner, ToChange(owner, *ending, core.clock.Now()),
         [ending = *ending, must, answer](Core& under_lock, Owner* still, const absl::Status& fate) {
           if (still == nullptr) return Tell(under_lock, answer, absl::OkStatus());
           if (fate.ok()) return OnEnded(under_lock, *still, ending, answer);
           still->end_written = false;
           OnRefusedEnd(under_lock, *still, must, answer, fate);
         });
}

// `must`: the end is tried again for as long as the store refuses it.
void End(Core& core, Owner& owner, MakeEnding make, bool must, Answer answer) {
  if (owner.closing) {
    if (answer) owner.when_ended.push_back(std::move(answer));
    return;
  }
  owner.closing = true;
  owner.stuck = false;
  core.stuck.erase(owner.name);
  owner.end = [make = std::move(make), must, answer = std::move(answer)](Core& under_lock, Owner& still) {
    WhenQuiet(under_lock, still,
              [make, must, answer](Core& quiet, Owner& owner) { WriteEnd(quiet, owner, make, must, answer); });
  };
  const auto end = owner.end;
  end(core, owner);
}

}  // namespace

void FinishOwner(Core& core, Owner& owner) {
  const auto make = [](const Core& c, const Owner& o) {
    const ModelWork* model = o.model();
    return model != nullptr ? ModelReady(c, o, *model) : JobSucceeded(c, o, *o.job());
  };
  End(core, owner, make, true, nullptr);
}

void FailOwner(Core& core, Owner& owner, const absl::Status& error, Answer answer) {
  LOG(INFO).With(owner.job() != nullptr ? "job" : "model", owner.name) << "fails: " << error.ToString();
  const auto make = [error](const Core& c, const Owner& o) -> absl::StatusOr<Ending> {
    const ModelWork* model = o.model();
    if (model != nullptr) return ModelRejected(c, *model, error);
    return JobEnded(c, o, JobEvent::kTaskFailed, error);
  };
  End(core, owner, make, true, std::move(answer));
}

void CancelJob(Core& core, Owner& owner, const std::string& etag, Answer answer) {
  const absl::Status unchanged = CheckEtag(owner.name, etag, owner.job()->job.etag());
  if (!unchanged.ok()) return Tell(core, answer, unchanged);
  const auto make = [](const Core& c, const Owner& o) {
    return JobEnded(c, o, JobEvent::kCancelRequested, absl::OkStatus());
  };
  End(core, owner, make, false, std::move(answer));
}

}  // namespace bitwright::server
