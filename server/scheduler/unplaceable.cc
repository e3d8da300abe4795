#include "server/scheduler/unplaceable.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "server/scheduler/ending.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/routing.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(500);

// The first ready task that none of the offers may run; null: none.
const LiveTask* Unplaceable(const Owner& owner, const std::vector<Offer>& offers) {
  for (const LiveTask& task : owner.tasks) {
    if (task.row.state != TaskState::kReady || !task.blocked_on.empty()) continue;
    if (!AnyFits(offers, NeedsNow(owner, task))) return &task;
  }
  return nullptr;
}

// Whether more memory would do.
bool IsTooLarge(const LiveTask& task, const std::vector<Offer>& offers, Requirements needs) {
  needs.memory = {};
  return AnyFits(offers, needs) && task.node.memory != LiveSet();
}

absl::Status WhyNot(const Owner& owner, const LiveTask& task, const std::vector<Offer>& offers) {
  const Requirements needs = NeedsOf(owner, task);
  if (!IsTooLarge(task, offers, needs)) return PinUnmatchedError(needs.compute_class, needs.code_version);
  const auto largest = std::max_element(offers.begin(), offers.end(),
                                        [](const Offer& a, const Offer& b) { return a.memory_bytes < b.memory_bytes; });
  return TaskTooLargeError(task.node.key, task.node.memory.On(largest->threads), largest->memory_bytes);
}

}  // namespace

void FailUnplaceable(Core& core) {
  const MonotonicTime now = core.clock.Monotonic();
  if (now - core.unplaceable_checked < kPause) return;
  core.unplaceable_checked = now;
  const std::vector<Offer> offers = core.executor.Offers(now);
  if (offers.empty()) return core.window.SetAside(0);
  std::vector<std::pair<Owner*, absl::Status>> failures;
  size_t aside = 0;
  for (const auto& [name, owner] : core.board.owners()) {
    const LiveTask* task = owner->AnyLeased() || owner->closing ? nullptr : Unplaceable(*owner, offers);
    if (task == nullptr) {
      owner->unplaceable_since.reset();
    } else if (!owner->unplaceable_since) {
      owner->unplaceable_since = now;
    } else if (now - *owner->unplaceable_since >= core.options.patience && !owner->stuck) {
      failures.emplace_back(owner.get(), WhyNot(*owner, *task, offers));
    }
    const JobWork* job = owner->job();
    if (owner->unplaceable_since && job != nullptr && job->job.state() == v1::Job::QUEUED) ++aside;
  }
  core.window.SetAside(aside);
  for (const auto& [owner, error] : failures) FailOwner(core, *owner, error);
}

}  // namespace bitwright::server
