#include "server/scheduler/progress.h"

#include <algorithm>

#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/base/process.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/names.h"
#include "proto/contract/reasons.h"
#include "server/jobs/notices.h"
#include "server/scheduler/completion.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/facts.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

// Faults of the disk or the database pass or are mended by a person; they are no fault of the job.
bool IsServersFault(const absl::Status& status) {
  const std::string reason = ErrorReason(status);
  return reason == Reason::kStoreFailed || reason == Reason::kDiskFull || reason == Reason::kBlobUnreadable;
}

// What a stored row means after a restart of the server.
void Restore(const Core& core, LiveTask& task) {
  TaskRow& row = task.row;
  MoveTask(row, TaskEvent::kServerRestarted);
  if (row.state == TaskState::kDone) {
    CHECK(task.result.ParseFromString(row.result)) << row.name;
  } else if (row.state == TaskState::kLeased && row.worker_host == core.options.host &&
             ProcessIsGone(row.worker_process)) {
    row.attempt -= 1;  // ended with the server, through no fault of its own
    MoveTask(row, TaskEvent::kReleased);
  } else if (row.state == TaskState::kLeased) {
    task.lease_expiry = LeaseExpiry(core);
  }
  const absl::Duration pause = TimeFromMicros(row.not_before_micros) - core.clock.Now();
  task.not_before = core.clock.Monotonic() + std::clamp(pause, absl::ZeroDuration(), RetryDelay(row.attempt + 1));
}

LiveTask NewTask(const Core& core, Owner& owner, TaskNode node) {
  LiveTask task;
  task.node = std::move(node);
  if (auto stored = owner.stored.extract(task.node.key)) {
    task.row = std::move(stored.mapped());
    Restore(core, task);
  } else {
    task.row.name = ResourceName(Collection::kTasks, RandomId());
    task.row.owner = owner.name;
    task.row.key = task.node.key;
  }
  task.ready_since = core.clock.Monotonic();
  return task;
}

// Those of the model, then those of the data as far as it is known.
void SetNotices(JobWork& work) {
  *work.job.mutable_notices() = work.resolved.model.info().notices();
  for (v1::Notice& notice : DataNotices(work.resolved.spec, work.facts)) {
    *work.job.add_notices() = std::move(notice);
  }
}

// Expands as far as the facts lead. EXPANSION_CHANGED: the tasks of before are no longer its beginning.
absl::Status AddNodes(Core& core, Owner& owner) {
  if (const ModelWork* model = owner.model()) {
    core.board.AddTask(owner, NewTask(core, owner, core.planner.Inspect(model->model.manifest())));
    owner.complete = true;
    return absl::OkStatus();
  }
  ABSL_ASSIGN_OR_RETURN(Expansion expansion, core.planner.Expand(owner.job()->resolved, owner.job()->facts));
  for (size_t i = 0; i < owner.tasks.size(); ++i) {
    if (i >= expansion.nodes.size() || expansion.nodes[i].key != owner.tasks[i].node.key) {
      return ExpansionChangedError(owner.name, owner.tasks[i].node.key);
    }
  }
  for (size_t i = owner.tasks.size(); i < expansion.nodes.size(); ++i) {
    core.board.AddTask(owner, NewTask(core, owner, std::move(expansion.nodes[i])));
  }
  owner.complete = expansion.complete;
  Forecast(core, owner);
  SetNotices(*owner.job());
  Changed(core, owner);
  return absl::OkStatus();
}

void MakeReady(Core& core, Owner& owner) {
  for (LiveTask& task : owner.tasks) {
    if (task.row.state == TaskState::kWaiting && SourcesDone(owner, task)) {
      core.board.SetReady(task, core.clock.Monotonic());
    }
  }
}

absl::Status TryAdvance(Core& core, Owner& owner) {
  owner.stuck = false;
  while (true) {
    bool more = false;
    if (owner.job() != nullptr) {
      ABSL_ASSIGN_OR_RETURN(more, ReadFacts(core.blobs, owner));
    }
    if (!more && !owner.tasks.empty()) break;
    ABSL_RETURN_IF_ERROR(AddNodes(core, owner));
  }
  MakeReady(core, owner);
  return owner.complete && owner.AllDone() ? FinishOwner(core, owner) : absl::OkStatus();
}

}  // namespace

void Advance(Core& core, Owner& owner) {
  if (owner.failure) {
    (void)FailOwner(core, owner, absl::Status(*owner.failure));
    return;
  }
  const absl::Status status = TryAdvance(core, owner);
  if (status.ok()) return;
  if (IsServersFault(status)) {
    LOG(ERROR) << owner.name << " waits: " << status.ToString();
    owner.stuck = true;
  } else {
    (void)FailOwner(core, owner, status);
  }
}

}  // namespace bitwright::server
