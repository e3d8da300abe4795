#include "server/scheduler/core.h"

#include <utility>
#include <vector>

#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/base/wire_time.h"
#include "proto/contract/reasons.h"
#include "server/jobs/stamp.h"
#include "server/scheduler/completion.h"
#include "server/scheduler/planning.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/routing.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kTroublePause = absl::Minutes(1);

void RunQuiet(Core& core, Owner& owner) {
  const std::string name = owner.name;
  const int64_t id = owner.id;
  for (const auto& step : std::exchange(owner.when_quiet, {})) {
    if (Owner* still = FindOwner(core, name, id)) step(core, *still);
  }
}

}  // namespace

void Tell(Core& core, const Answer& answer, const absl::Status& status) {
  if (answer) core.outbox.push_back([answer, status] { answer(status); });
}

Owner* FindOwner(Core& core, const std::string& name, int64_t id) {
  Owner* owner = core.board.FindOwner(name);
  return owner != nullptr && owner->id == id ? owner : nullptr;
}

void Write(Core& core, Store::Body body, std::function<void(Core&, const absl::Status&)> then) {
  ++core.under_way;
  core.store.Submit(std::move(body), [&core, then = std::move(then)](const absl::Status& fate) {
    core.resume([then, fate](Core& under_lock) {
      --under_lock.under_way;
      then(under_lock, fate);
    });
  });
}

void Commit(Core& core, Owner& owner, Change change, std::function<void(Core&, Owner*, const absl::Status&)> then) {
  ++owner.writes;
  change.now_micros = ToMicros(core.clock.Now());
  const auto kept = std::make_shared<const Change>(std::move(change));
  Write(
      core, [kept](Transaction& tx) { return Apply(tx, *kept); },
      [then = std::move(then), name = owner.name, id = owner.id](Core& under_lock, const absl::Status& fate) {
        Owner* owner = FindOwner(under_lock, name, id);
        if (owner != nullptr) --owner->writes;
        if (owner != nullptr && fate.ok()) owner->refusals = 0;
        then(under_lock, owner, fate);
        owner = FindOwner(under_lock, name, id);
        if (owner != nullptr && owner->writes == 0) RunQuiet(under_lock, *owner);
      });
}

void WhenQuiet(Core& core, Owner& owner, std::function<void(Core&, Owner&)> step) {
  if (owner.writes == 0) return step(core, owner);
  owner.when_quiet.push_back(std::move(step));
}

void Changed(Core& core, Owner& owner) {
  RaiseProgress(owner);
  if (!owner.end_written) {
    if (JobWork* job = owner.job()) Stamp(job->job, core.clock.Now());
    if (ModelWork* model = owner.model()) StampSeen(model->model, core.clock.Now());
  }
  core.subscribers.Notify(owner.name, core.outbox);
}

void Forget(Core& core, Owner& owner) {
  Changed(core, owner);
  std::vector<std::string> freed;
  for (LiveTask& task : owner.tasks) {
    core.executor.Withdraw(task.row.name);
    core.unrouted.erase(task.row.name);
    for (std::string& name : core.board.Vacate(owner, task)) freed.push_back(std::move(name));
    for (auto& call : task.when_written) core.outbox.push_back([&core, call = std::move(call)] { core.resume(call); });
  }
  for (const Answer& answer : owner.when_ended) Tell(core, answer, absl::OkStatus());
  core.stuck.erase(owner.name);
  core.window.OnLeftQueue(owner.name);
  core.gate.Leave(owner.name);
  core.board.Remove(owner);
  for (const std::string& name : freed) Unblock(core, name);
}

void Vacate(Core& core, Owner& owner, LiveTask& task) {
  core.executor.Withdraw(task.row.name);
  for (const std::string& name : core.board.Vacate(owner, task)) Unblock(core, name);
}

bool IsServersFault(const absl::Status& status) {
  const std::string reason = ErrorReason(status);
  return reason == Reason::kStoreFailed || reason == Reason::kDiskFull || reason == Reason::kBlobUnreadable;
}

void Refused(Core& core, Owner& owner, const absl::Status& why) {
  const MonotonicTime now = core.clock.Monotonic();
  if (core.trouble_told == MonotonicTime() || now - core.trouble_told >= kTroublePause) {
    core.trouble_told = now;
    LOG(ERROR) << owner.name << " and maybe others wait: " << why.ToString();
  }
  owner.stuck = true;
  owner.retry_at = now + StorePause(++owner.refusals);
  core.stuck.insert(owner.name);
  for (LiveTask& task : owner.tasks) {
    if (task.step != TaskStep::kQueued) continue;
    task.step = TaskStep::kNone;
    core.executor.Withdraw(task.row.name);
  }
}

void RetryStuck(Core& core) {
  const MonotonicTime now = core.clock.Monotonic();
  const std::vector<std::string> names(core.stuck.begin(), core.stuck.end());
  for (const std::string& name : names) {
    Owner* owner = core.board.FindOwner(name);
    if (owner == nullptr) {
      core.stuck.erase(name);
    } else if (owner->retry_at <= now) {
      core.stuck.erase(name);
      owner->stuck = false;
      for (LiveTask& task : owner->tasks) {
        if (auto release = std::exchange(task.release, nullptr)) release(core);
      }
      RouteReady(core, *owner);
      Advance(core, *owner);
    }
  }
}

}  // namespace bitwright::server
