#include "server/scheduler/planning.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/base/message_bytes.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "proto/contract/names.h"
#include "proto/contract/reasons.h"
#include "proto/contract/task_names.h"
#include "server/jobs/notices.h"
#include "server/scheduler/completion.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/facts.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/provenance.h"
#include "server/scheduler/routing.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

constexpr int kMostReruns = 3;

// What a plan is made from, copied under the lock.
struct PlanInput {
  std::string owner;
  std::string tenant;
  std::vector<OutputToRead> unread;
  Learned learned;
  size_t known = 0;                             // tasks that there are
  std::shared_ptr<const ResolvedJob> resolved;  // of a job
  std::optional<v1::Manifest> manifest;         // of a model
  std::vector<v1::Provenance> provenance;       // of every goal, to be written, so that its report can read it
};

struct PlanResult {
  absl::Status status;
  std::string failed_task;  // whose output could not be read
  Learned learned;
  std::vector<TaskNode> nodes;
  bool complete = false;
  std::optional<CostForecast> forecast;  // where it is another than before
};

absl::Status ReadAll(HeldBlobs& blobs, const PlanInput& input, PlanResult& result) {
  for (const OutputToRead& output : input.unread) {
    result.failed_task = output.task;
    ABSL_RETURN_IF_ERROR(Learn(blobs, output, result.learned));
  }
  result.failed_task.clear();
  return absl::OkStatus();
}

absl::Status Expand(const Planner& planner, const PlanInput& input, PlanResult& result) {
  if (input.manifest) {
    Expansion expansion = planner.ExpandModel(*input.manifest, result.learned.model);
    result.nodes = std::move(expansion.nodes);
    result.complete = expansion.complete;
    return absl::OkStatus();
  }
  ABSL_ASSIGN_OR_RETURN(Expansion expansion, planner.Expand(*input.resolved, result.learned.facts, input.known));
  result.nodes = std::move(expansion.nodes);
  result.complete = expansion.complete;
  // It follows from what tasks there are.
  if (result.nodes.size() > input.known) result.forecast = planner.Forecast(*input.resolved, result.learned.facts);
  return absl::OkStatus();
}

absl::Status TryPlan(HeldBlobs& blobs, const Planner& planner, absl::Time now, const PlanInput& input,
                     PlanResult& result) {
  ABSL_RETURN_IF_ERROR(ReadAll(blobs, input, result));
  for (size_t g = 0; g < input.provenance.size(); ++g) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, blobs.Put(DeterministicBytes(input.provenance[g]), now,
                                                             TasksReference(input.owner), input.tenant));
    result.learned.facts.goal(static_cast<int>(g)).provenance = ToProto(digest);
  }
  return Expand(planner, input, result);
}

bool WantsProvenance(const Owner& owner) {
  const JobWork* job = owner.job();
  return job != nullptr && !job->facts.goal(0).provenance && owner.OfKind(TaskKind::kAssemble) != nullptr &&
         owner.AllDone();
}

// What a stored row means after a restart of the server.
void Restore(Core& core, LiveTask& task) {
  TaskRow& row = task.row;
  task.stored = row.state;
  MoveTask(row, TaskEvent::kServerRestarted);
  task.digest = row.digest;
  const absl::Duration pause = TimeFromMicros(row.not_before_micros) - core.clock.Now();
  task.not_before = core.clock.Monotonic() + std::clamp(pause, absl::ZeroDuration(), RetryDelay(row.attempt + 1));
}

absl::StatusOr<LiveTask> NewTask(Core& core, Owner& owner, TaskNode node) {
  LiveTask task;
  task.node = std::move(node);
  task.ready_since = core.clock.Monotonic();
  auto stored = owner.stored.extract(task.node.key);
  if (!stored) {
    task.row.name = ResourceName(Collection::kTasks, RandomId());
    task.row.owner = owner.name;
    task.row.key = task.node.key;
    return task;
  }
  task.row = std::move(stored.mapped());
  Restore(core, task);
  if (task.row.state == TaskState::kDone && !task.result.ParseFromString(task.row.result)) {
    return RowCorruptError(task.row.name);
  }
  return task;
}

// A lease of before a restart: its worker may still run it.
void Resume(Core& core, Owner& owner, LiveTask& task) {
  const TaskRow& row = task.row;
  core.board.Occupy(owner, task);
  core.executor.Resume(ToExecution(owner, task),
                       {.worker = row.worker,
                        .host = row.worker_host,
                        .process_id = row.worker_process,
                        .compute_class = NeedsOf(owner, task).compute_class,
                        .code_version = {}},
                       row.fencing_token, core.clock.Monotonic());
}

void Link(Owner& owner, size_t position) {
  LiveTask& task = owner.tasks[position];
  for (const TaskNode::Link& link : task.node.links) {
    LiveTask* source = owner.Find(link.from);
    if (source == nullptr) continue;
    source->dependents.push_back(position);
    if (source->row.state != TaskState::kDone) ++task.sources_left;
  }
}

absl::Status AddNode(Core& core, Owner& owner, TaskNode node) {
  ABSL_ASSIGN_OR_RETURN(LiveTask made, NewTask(core, owner, std::move(node)));
  core.board.AddTask(owner, std::move(made));
  LiveTask& task = owner.tasks.back();
  Link(owner, owner.tasks.size() - 1);
  const std::string& kind = task.node.spec.kind();
  if (!ReadOutput(kind).empty() && kind != TaskKind::kReport) owner.read_tasks.push_back(&task);
  if (task.row.state == TaskState::kLeased) Resume(core, owner, task);
  if (task.row.state == TaskState::kWaiting && task.sources_left == 0) BecomeReady(core, owner, task);
  return absl::OkStatus();
}

// EXPANSION_CHANGED: the tasks of before are no longer its beginning.
absl::Status AddNodes(Core& core, Owner& owner, std::vector<TaskNode> nodes) {
  for (size_t i = 0; i < owner.tasks.size(); ++i) {
    if (i >= nodes.size() || nodes[i].key != owner.tasks[i].node.key) {
      return ExpansionChangedError(owner.name, owner.tasks[i].node.key);
    }
  }
  for (size_t i = owner.tasks.size(); i < nodes.size(); ++i) {
    ABSL_RETURN_IF_ERROR(AddNode(core, owner, std::move(nodes[i])));
  }
  return absl::OkStatus();
}

// Those of the model, then those of the data as far as it is known.
void SetNotices(JobWork& work) {
  *work.job.mutable_notices() = work.resolved->model->info().notices();
  for (v1::Notice& notice : DataNotices(work.resolved->spec, work.facts)) {
    *work.job.add_notices() = std::move(notice);
  }
}

void OnPlanFailed(Core& core, Owner& owner, const PlanResult& result) {
  if (IsServersFault(result.status)) return Refused(core, owner, result.status);
  const auto place = core.board.Find(result.failed_task);
  const std::string reason = ErrorReason(result.status);
  const bool lost = reason == Reason::kBlobNotFound;
  // What a worker hands in is checked before it is kept; an entry of the cache may be older than that check.
  if (place && (lost || place->task->row.cached)) return RunAgain(core, owner, *place->task, result.status);
  FailOwner(core, owner, result.status);
}

void OnPlanned(Core& core, Owner& owner, PlanResult result) {
  if (!result.status.ok()) return OnPlanFailed(core, owner, result);
  if (ModelWork* model = owner.model()) {
    model->facts = std::move(result.learned.model);
  } else {
    owner.job()->facts = std::move(result.learned.facts);
    if (result.forecast) owner.job()->forecast = *std::move(result.forecast);
  }
  owner.complete = result.complete;
  const absl::Status added = AddNodes(core, owner, std::move(result.nodes));
  if (!added.ok()) return FailOwner(core, owner, added);
  if (owner.job() != nullptr) {
    SetNotices(*owner.job());
    Changed(core, owner);
  }
  Advance(core, owner);
}

PlanInput InputOf(const Owner& owner, std::vector<OutputToRead> unread) {
  PlanInput input{.owner = owner.name,
                  .tenant = owner.tenant(),
                  .unread = std::move(unread),
                  .learned = {},
                  .known = owner.tasks.size(),
                  .resolved = {},
                  .manifest = {},
                  .provenance = {}};
  if (const ModelWork* model = owner.model()) {
    input.learned.model = model->facts;
    input.manifest = model->model.manifest();
    return input;
  }
  input.learned.facts = owner.job()->facts;
  input.resolved = owner.job()->resolved;
  return input;
}

void Plan(Core& core, Owner& owner, PlanInput input) {
  owner.planning = true;
  Outside<PlanResult>(
      core,
      [&blobs = core.blobs, &planner = core.planner, now = core.clock.Now(), input = std::move(input)]() mutable {
        PlanResult result;
        result.learned = std::move(input.learned);
        result.status = TryPlan(blobs, planner, now, input, result);
        return result;
      },
      [name = owner.name, id = owner.id](Core& under_lock, PlanResult result) {
        Owner* owner = FindOwner(under_lock, name, id);
        if (owner == nullptr) return;
        owner->planning = false;
        if (!owner->closing) OnPlanned(under_lock, *owner, std::move(result));
      });
}

}  // namespace

void Advance(Core& core, Owner& owner) {
  if (owner.closing) {
    if (owner.end && !owner.stuck) owner.end(core, owner);
    return;
  }
  if (owner.stuck || owner.planning) return;
  std::vector<OutputToRead> unread = Unread(owner);
  const bool prove = WantsProvenance(owner) && unread.empty();
  if (owner.tasks.empty() || !unread.empty() || prove) {
    PlanInput input = InputOf(owner, std::move(unread));
    if (prove) {
      absl::StatusOr<std::vector<v1::Provenance>> provenance = MakeProvenance(owner);
      if (!provenance.ok()) return FailOwner(core, owner, provenance.status());
      input.provenance = *std::move(provenance);
    }
    return Plan(core, owner, std::move(input));
  }
  if (owner.complete && owner.AllDone()) FinishOwner(core, owner);
}

void OnDone(Core& core, Owner& owner, LiveTask& task) {
  for (const size_t position : task.dependents) {
    LiveTask& dependent = owner.tasks[position];
    if (--dependent.sources_left == 0 && dependent.row.state == TaskState::kWaiting) {
      BecomeReady(core, owner, dependent);
    }
  }
}

void RunAgain(Core& core, Owner& owner, LiveTask& task, const absl::Status& why) {
  if (task.row.state != TaskState::kDone) return;
  if (++task.reruns > kMostReruns) return FailOwner(core, owner, why);
  core.metrics.TaskRetried();
  LOG(WARNING) << task.row.name << " (" << task.node.key << " of " << owner.name << ") runs again: " << why.ToString();
  Change change;
  change.dropped_action = task.row.digest;
  const std::optional<BlobDigest> lost = ErrorReason(why) == Reason::kBlobNotFound ? BlobOf(why) : std::nullopt;
  if (lost && !core.blobs.HasFile(*lost)) {
    change.dropped_blob = lost->sha256;
    core.metrics.BlobsLost(1);
  }
  core.board.Move(owner, task, TaskEvent::kOutputLost);
  task.result.Clear();
  for (const size_t position : task.dependents) {
    LiveTask& dependent = owner.tasks[position];
    ++dependent.sources_left;
    // One that is looked up or whose lease is written goes on, and is put back where it cannot start.
    const bool under_way = dependent.step == TaskStep::kStarting || dependent.step == TaskStep::kLookup;
    if (dependent.row.state != TaskState::kReady || under_way) continue;
    core.executor.Withdraw(dependent.row.name);
    dependent.step = TaskStep::kNone;
    core.board.Move(owner, dependent, TaskEvent::kSourceLost);
  }
  Commit(core, owner, std::move(change),
         [name = task.row.name](Core& under_lock, Owner* still, const absl::Status& fate) {
           const auto place = under_lock.board.Find(name);
           if (still == nullptr || !place) return;
           if (!fate.ok()) LOG(ERROR) << name << ": what is lost is still noted as held: " << fate.ToString();
           if (place->task->row.state == TaskState::kWaiting && place->task->sources_left == 0) {
             BecomeReady(under_lock, *still, *place->task);
           }
           Advance(under_lock, *still);
         });
}

}  // namespace bitwright::server
