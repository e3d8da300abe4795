#include "server/scheduler/wait_reason.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "proto/contract/compute_class.h"
#include "proto/contract/devices.h"
#include "proto/contract/notices.h"
#include "server/scheduler/routing.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(500);

v1::Notice NoWorker() {
  return MakeNotice("NO_WORKER",
                    "no worker is registered with this server; start one with bitwright-worker --server ADDRESS "
                    "--work-dir FOLDER, or the server with --workers 1");
}

v1::Notice WorkersBusy(int workers) {
  return MakeNotice("WORKERS_BUSY", workers == 1 ? "the worker that could run it runs other work; start another one "
                                                   "with bitwright-worker to run both at once"
                                                 : "all " + std::to_string(workers) +
                                                       " workers that could run it run other work; start another one "
                                                       "with bitwright-worker to run more at once");
}

v1::Notice TenantLimit(int64_t limit) {
  return MakeNotice("TENANT_LIMIT", "its tenant may have " + std::to_string(limit) +
                                        " jobs running at once, and has; it begins when one of them ends, or when the "
                                        "operator allows more");
}

v1::Notice WorkersCordoned(int workers) {
  return MakeNotice("WORKERS_CORDONED",
                    "the " + std::to_string(workers) +
                        " that could run it take nothing new, since an operator has cordoned or drained them; start "
                        "another bitwright-worker, or let them work again with bitwright worker uncordon");
}

v1::Notice ServerStorage() {
  return MakeNotice("SERVER_STORAGE",
                    "the server's disk or database refuses to be written; see the server's log and make room in its "
                    "data directory, it then goes on by itself");
}

v1::Notice WorkerMissing(const Owner& owner, const LiveTask& task) {
  const JobWork* job = owner.job();
  const Requirements needs = NeedsOf(owner, task);
  const std::string device(needs.compute_class.empty() ? needs.device : DeviceOfClass(needs.compute_class));
  std::string needed = std::to_string(task.node.memory.On(1) >> 20) + " MiB of " +
                       (device == DeviceKind::kCuda ? "device memory" : "memory");
  if (!needs.device.empty()) {
    needed += ", device " + needs.device + " (the one that the job asks for)";
  }
  if (job != nullptr && !job->row.pinned_code.empty()) {
    needed += ", compute class " + job->row.pinned_class + " and code version " + job->row.pinned_code.substr(0, 12) +
              " (those it began with)";
  }
  return MakeNotice("WORKER_MISSING", "no registered worker may run its next task (" + task.node.spec.kind() +
                                          "), which needs " + needed +
                                          "; start such a bitwright-worker, or cancel the job and submit it again");
}

// Whether nothing but a worker keeps the task from running.
bool NeedsWorker(const Core& core, const LiveTask& task) {
  if (task.row.state != TaskState::kReady || task.not_before > core.clock.Monotonic()) return false;
  return task.blocked_on.empty() && (task.step == TaskStep::kQueued || task.step == TaskStep::kNone);
}

// The reason, once one has held for long enough, or none. True: subscribers are to be told.
bool Update(const Core& core, Owner& owner, const std::vector<Offer>& offers) {
  const MonotonicTime now = core.clock.Monotonic();
  std::optional<v1::Notice> notice = WaitReason(core, owner, offers);
  const bool told = owner.waiting && owner.waiting->told;
  if (!notice) {
    owner.waiting.reset();
    return told;
  }
  const bool same = owner.waiting && owner.waiting->notice.reason() == notice->reason();
  if (!same) owner.waiting = Waiting{.notice = {}, .since = now, .told = false};
  owner.waiting->notice = *std::move(notice);
  if (owner.waiting->told) return false;
  owner.waiting->told = now - owner.waiting->since >= kWaitingTold;
  return owner.waiting->told || (told && !same);
}

}  // namespace

v1::Notice QueuedBehind(int64_t jobs) {
  return MakeNotice("QUEUED_BEHIND", "it waits in the queue: the " + std::to_string(jobs) +
                                         " jobs before it are not done; it runs sooner with a higher priority");
}

std::optional<v1::Notice> WaitReason(const Core& core, const Owner& owner, const std::vector<Offer>& offers) {
  if (owner.refusals > 0) return ServerStorage();  // a task that cannot be handed in counts as leased for ever
  if (owner.AnyLeased()) return std::nullopt;
  if (core.paused) return core.paused;
  if (offers.empty()) return NoWorker();
  if (core.gate.Holds(owner.name)) return TenantLimit(core.gate.LimitOf(owner.tenant()));
  const LiveTask* unplaced = nullptr;
  int able = 0;
  int closed = 0;
  for (const LiveTask& task : owner.tasks) {
    if (!NeedsWorker(core, task)) continue;
    const Requirements needs = NeedsNow(owner, task);
    int places = 0;
    int closed_places = 0;
    for (const Offer& offer : offers) {
      if (!offer.Fits(needs)) continue;
      if (offer.free_places > 0) return std::nullopt;
      (offer.closed ? closed_places : places) += offer.places;
    }
    able = std::max(able, places);
    closed = std::max(closed, closed_places);
    if (places + closed_places == 0 && unplaced == nullptr) unplaced = &task;
  }
  if (able > 0) return WorkersBusy(able);
  if (closed > 0) return WorkersCordoned(closed);
  return unplaced == nullptr ? std::nullopt : std::optional(WorkerMissing(owner, *unplaced));
}

void TellWaiting(Core& core) {
  const MonotonicTime now = core.clock.Monotonic();
  if (now - core.waiting_checked < kPause) return;
  core.waiting_checked = now;
  const std::vector<Offer> offers = core.executor.Offers(now);
  std::map<std::string, int64_t> tasks;
  for (const auto& [name, owner] : core.board.owners()) {
    if (Update(core, *owner, offers)) Changed(core, *owner);
    if (const auto notice = owner->WaitingNotice()) tasks[notice->reason()] += owner->tally.count(TaskState::kReady);
  }
  for (const std::string& reason : core.waiting_reasons) core.metrics.SetWaiting(reason, tasks[reason]);
  for (const auto& [reason, count] : tasks) {
    core.metrics.SetWaiting(reason, count);
    core.waiting_reasons.insert(reason);
  }
}

}  // namespace bitwright::server
