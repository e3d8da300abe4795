#include "server/scheduler/wait_reason.h"

#include <algorithm>
#include <string>
#include <vector>

#include "proto/contract/notices.h"
#include "server/scheduler/policy_input.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(500);

v1::Notice NoWorker() {
  return MakeNotice("NO_WORKER",
                    "no worker is registered with this server; start one with bitwright-worker --server ADDRESS "
                    "--work-dir FOLDER, or the server with --workers 1");
}

v1::Notice WorkersBusy(size_t workers) {
  return MakeNotice("WORKERS_BUSY", workers == 1 ? "the worker that could run it runs other work; start another one "
                                                   "with bitwright-worker to run both at once"
                                                 : "all " + std::to_string(workers) +
                                                       " workers that could run it run other work; start another one "
                                                       "with bitwright-worker to run more at once");
}

v1::Notice ServerStorage() {
  return MakeNotice("SERVER_STORAGE",
                    "the server's disk or database refuses to be written; see the server's log and make room in its "
                    "data directory, it then goes on by itself");
}

v1::Notice WorkerMissing(const Owner& owner, const LiveTask& task) {
  const JobWork* job = owner.job();
  std::string needed = std::to_string(task.node.memory_bytes >> 20) + " MiB of memory";
  if (job != nullptr && !job->row.pinned_code.empty()) {
    needed += ", compute class " + job->row.pinned_class + " and code version " + job->row.pinned_code.substr(0, 12) +
              " (those it began with)";
  }
  return MakeNotice("WORKER_MISSING", "no registered worker may run its next task (" + task.node.spec.kind() +
                                          "), which needs " + needed +
                                          "; start such a bitwright-worker, or cancel the job and submit it again");
}

// A worker that was lost without a word is no worker, though it is remembered for a while.
bool IsPresent(const Core& core, const Fleet::Member& member) {
  return member.seen + core.options.lease_ttl + core.options.lease_grace >= core.clock.Monotonic();
}

// Whether the worker may run the task, when it runs nothing else, and whether it may now.
bool EverRuns(const Fleet::Member& member, const ReadyTask& task) {
  AskingWorker whole = ToAskingWorker(member, false);
  whole.memory_bytes = member.memory_bytes();
  whole.small_only = false;
  return MayRun(task, whole);
}
bool RunsNow(const Fleet::Member& member, const ReadyTask& task) {
  return member.has_free_slot() && MayRun(task, ToAskingWorker(member, false));
}

// Whether nothing but a worker keeps the task from running.
bool NeedsWorker(const Core& core, const LiveTask& task) {
  if (task.row.state != TaskState::kReady || task.not_before > core.clock.Monotonic()) return false;
  return task.blocked_on.empty() || !core.board.Runs(task.blocked_on);
}

// The reason, once one has held for long enough, or none. True: subscribers are to be told.
bool Update(const Core& core, Owner& owner) {
  const MonotonicTime now = core.clock.Monotonic();
  std::optional<v1::Notice> notice = WaitReason(core, owner);
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

std::optional<v1::Notice> WaitReason(const Core& core, const Owner& owner) {
  if (owner.AnyLeased()) return std::nullopt;
  if (owner.stuck) return ServerStorage();
  std::vector<const Fleet::Member*> present;
  for (const auto& [name, member] : core.board.fleet().members()) {
    if (IsPresent(core, member)) present.push_back(&member);
  }
  if (present.empty()) return NoWorker();
  const LiveTask* unplaced = nullptr;
  size_t able = 0;
  for (const LiveTask& task : owner.tasks) {
    if (!NeedsWorker(core, task)) continue;
    const ReadyTask ready = ToReadyTask(owner, task);
    size_t may_run = 0;
    for (const Fleet::Member* member : present) {
      if (!EverRuns(*member, ready)) continue;
      if (RunsNow(*member, ready)) return std::nullopt;
      ++may_run;
    }
    able = std::max(able, may_run);
    if (may_run == 0 && unplaced == nullptr) unplaced = &task;
  }
  if (able > 0) return WorkersBusy(able);
  return unplaced == nullptr ? std::nullopt : std::optional(WorkerMissing(owner, *unplaced));
}

void TellWaiting(Core& core) {
  const MonotonicTime now = core.clock.Monotonic();
  if (now - core.waiting_checked < kPause) return;
  core.waiting_checked = now;
  for (const auto& [name, owner] : core.board.owners()) {
    if (Update(core, *owner)) Changed(core, *owner);
  }
}

}  // namespace bitwright::server
