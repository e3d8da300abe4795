#include <algorithm>

#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/base/process.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/names.h"
#include "proto/contract/rpc_status.h"
#include "proto/contract/task_names.h"
#include "server/scheduler/scheduler.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

// Faults of the disk or the database pass or are mended by a person; they are no fault of the job.
bool IsServersFault(const absl::Status& status) {
  const std::string reason = ErrorReason(status);
  return reason == "STORE_FAILED" || reason == "DISK_FULL" || reason == "BLOB_UNREADABLE";
}

// The output of a finished task as a message. Nothing while the task is not finished.
template <typename Message>
absl::StatusOr<std::optional<Message>> ReadOutput(BlobCatalog& blobs, const LiveTask* task, const std::string& output) {
  if (task == nullptr || task->row.state != TaskState::kDone) return std::nullopt;
  ABSL_ASSIGN_OR_RETURN(const v1::Digest proto, OutputOf(*task, output));
  ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(proto));
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, blobs.ReadWhole(digest));
  Message message;
  if (!message.ParseFromString(bytes)) return OutputInvalid(task->node.key, output);
  return std::optional<Message>(std::move(message));
}

const LiveTask* OfKind(const Owner& owner, std::string_view kind) {
  for (const LiveTask& task : owner.tasks) {
    if (task.node.spec.kind() == kind) return &task;
  }
  return nullptr;
}

bool AllDone(const Owner& owner) {
  return std::all_of(owner.tasks.begin(), owner.tasks.end(),
                     [](const LiveTask& task) { return task.row.state == TaskState::kDone; });
}

}  // namespace

absl::Status Scheduler::LoadModel(Owner& owner, Snapshot& snapshot) {
  ABSL_ASSIGN_OR_RETURN(const std::optional<ModelRow> row, snapshot.GetModel(owner.name));
  if (!row || !row->unfinished) return absl::OkStatus();
  owner.is_model = true;
  owner.model_row = *row;
  CHECK(owner.model.ParseFromString(row->body)) << owner.name;
  return absl::OkStatus();
}

absl::Status Scheduler::LoadJob(Owner& owner, Snapshot& snapshot) {
  ABSL_ASSIGN_OR_RETURN(const std::optional<JobRow> row, snapshot.GetJob(owner.name));
  if (!row || !row->unfinished) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const std::optional<ModelRow> model, snapshot.GetModel(row->model));
  CHECK(model.has_value()) << owner.name << " is unfinished but has no model";
  owner.job_row = *row;
  CHECK(owner.job.ParseFromString(row->body)) << owner.name;
  CHECK(owner.resolved.recipe.ParseFromString(row->recipe)) << owner.name;
  CHECK(owner.resolved.model.ParseFromString(model->body)) << owner.name;
  owner.resolved.spec = owner.job.spec();
  ABSL_ASSIGN_OR_RETURN(const BlobDigest info, ParseDigest(model->info));
  owner.resolved.info = ToProto(info);
  // Revisions of before a restart may have run ahead of the stored one, but never of the clock.
  owner.job.set_revision(std::max(owner.job.revision() + 1, ToMicros(clock_.Now())));
  return absl::OkStatus();
}

absl::Status Scheduler::AdoptLocked(const std::string& name) {
  if (owners_.contains(name)) return absl::OkStatus();
  auto owner = std::make_unique<Owner>();
  owner->name = name;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    mutex_.AssertHeld();
    ABSL_RETURN_IF_ERROR(name.starts_with("models/") ? LoadModel(*owner, snapshot) : LoadJob(*owner, snapshot));
    ABSL_ASSIGN_OR_RETURN(std::vector<TaskRow> rows, snapshot.TasksOf(name));
    for (TaskRow& row : rows) owner->stored.emplace(row.key, std::move(row));
    return absl::OkStatus();
  }));
  if (owner->model_row.name.empty() && owner->job_row.name.empty()) return absl::OkStatus();
  Owner& adopted = *(owners_[name] = std::move(owner));
  Advance(adopted);
  return absl::OkStatus();
}

void Scheduler::Advance(Owner& owner) {
  ++advances_;
  if (owner.failure) {
    (void)Fail(owner, absl::Status(*owner.failure));
    return;
  }
  const absl::Status status = TryAdvance(owner);
  if (status.ok()) return;
  if (IsServersFault(status)) {
    LOG(ERROR) << owner.name << " waits: " << status.ToString();
    owner.stuck = true;
  } else {
    (void)Fail(owner, status);
  }
}

absl::Status Scheduler::TryAdvance(Owner& owner) {
  owner.stuck = false;
  while (true) {
    ABSL_ASSIGN_OR_RETURN(const bool more, ReadFacts(owner));
    if (!more && !owner.tasks.empty()) break;
    ABSL_RETURN_IF_ERROR(AddNodes(owner));
  }
  MakeReady(owner);
  if (!owner.complete || !AllDone(owner)) return absl::OkStatus();
  return owner.is_model ? FinishModel(owner) : FinishJob(owner);
}

absl::StatusOr<bool> Scheduler::ReadFacts(Owner& owner) {
  if (owner.is_model) return false;
  Facts& facts = owner.facts;
  const auto known = [&] {
    return int{facts.calibration && facts.evaluation} + facts.allocation.has_value() + facts.selection.has_value() +
           facts.provenance.has_value();
  };
  const int before = known();
  if (!facts.calibration) {
    ABSL_ASSIGN_OR_RETURN(
        facts.calibration,
        ReadOutput<v1::TokenizeSummary>(blobs_, owner.Find(TaskKey(TaskKind::kTokenize, TaskUse::kCalibration)),
                                        TaskFile::kSummary));
  }
  if (!facts.evaluation) {
    ABSL_ASSIGN_OR_RETURN(facts.evaluation, ReadOutput<v1::TokenizeSummary>(
                                                blobs_, owner.Find(TaskKey(TaskKind::kTokenize, TaskUse::kEvaluation)),
                                                TaskFile::kSummary));
  }
  if (!facts.allocation) {
    ABSL_ASSIGN_OR_RETURN(facts.allocation, ReadOutput<v1::Allocation>(blobs_, OfKind(owner, TaskKind::kAllocate),
                                                                       TaskFile::kAllocation));
  }
  if (!facts.selection) {
    ABSL_ASSIGN_OR_RETURN(facts.selection,
                          ReadOutput<v1::Selection>(blobs_, OfKind(owner, TaskKind::kSelect), TaskFile::kSelection));
  }
  if (!facts.provenance && OfKind(owner, TaskKind::kAssemble) != nullptr && AllDone(owner)) {
    ABSL_ASSIGN_OR_RETURN(facts.provenance, MakeProvenance(owner));
  }
  return known() != before;
}

absl::Status Scheduler::AddNodes(Owner& owner) {
  if (owner.is_model) {
    AddTask(owner, planner_.Inspect(owner.model.manifest()));
    owner.complete = true;
    return absl::OkStatus();
  }
  ABSL_ASSIGN_OR_RETURN(Expansion expansion, planner_.Expand(owner.resolved, owner.facts));
  for (size_t i = 0; i < owner.tasks.size(); ++i) {
    if (i >= expansion.nodes.size() || expansion.nodes[i].key != owner.tasks[i].node.key) {
      return ExpansionChanged(owner.name, owner.tasks[i].node.key);
    }
  }
  for (size_t i = owner.tasks.size(); i < expansion.nodes.size(); ++i) AddTask(owner, std::move(expansion.nodes[i]));
  owner.complete = expansion.complete;
  Changed(owner);
  return absl::OkStatus();
}

void Scheduler::AddTask(Owner& owner, TaskNode node) {
  owner.by_key[node.key] = owner.tasks.size();
  LiveTask& task = owner.tasks.emplace_back();
  task.node = std::move(node);
  if (auto stored = owner.stored.extract(task.node.key)) {
    Restore(task, std::move(stored.mapped()));
  } else {
    task.row.name = ResourceName("tasks", RandomId());
    task.row.owner = owner.name;
    task.row.key = task.node.key;
  }
  tasks_[task.row.name] = {&owner, owner.tasks.size() - 1};
}

void Scheduler::Restore(LiveTask& task, TaskRow row) {
  task.row = std::move(row);
  if (task.row.state == TaskState::kDone) {
    CHECK(task.result.ParseFromString(task.row.result)) << task.row.name;
  } else if (task.row.state == TaskState::kLeased && task.row.worker_host == options_.host &&
             ProcessIsGone(task.row.worker_process)) {
    task.row.attempt -= 1;  // ended with the server, through no fault of its own
    task.row.state = TaskState::kWaiting;
  } else if (task.row.state == TaskState::kLeased) {
    task.row.lease_expiry_micros =
        ToMicros(clock_.Now()) + ToMicros(options_.lease_ttl) + ToMicros(options_.lease_grace);
    running_[task.row.digest] = task.row.name;
  } else {
    task.row.state = TaskState::kWaiting;
  }
}

void Scheduler::MakeReady(Owner& owner) {
  for (LiveTask& task : owner.tasks) {
    if (task.row.state != TaskState::kWaiting || !SourcesDone(owner, task)) continue;
    task.row.state = TaskState::kReady;
    task.ready_micros = ToMicros(clock_.Now());
  }
}

}  // namespace bitwright::server
