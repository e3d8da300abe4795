#include "server/scheduler/unplaceable.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "server/scheduler/ending.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

using Failures = std::vector<std::pair<Owner*, absl::Status>>;

// Apart from the walk that found them: an owner that fails leaves the board.
void FailAll(Core& core, const Failures& failures) {
  for (const auto& [owner, error] : failures) (void)FailOwner(core, *owner, error);
}

}  // namespace

void FailTooLarge(Core& core) {
  const Fleet& fleet = core.board.fleet();
  const std::optional<int64_t> largest = fleet.LargestMemoryBytes();
  if (!largest) return;
  Failures failures;
  for (const auto& [name, owner] : core.board.owners()) {
    if (owner->stuck) continue;
    const auto task = std::find_if(owner->tasks.begin(), owner->tasks.end(), [&](const LiveTask& one) {
      return one.row.state == TaskState::kReady && one.node.memory_bytes > *largest &&
             !(one.node.small && fleet.HasSmallLane());
    });
    if (task == owner->tasks.end()) continue;
    failures.emplace_back(owner.get(), TaskTooLargeError(task->node.key, task->node.memory_bytes, *largest));
  }
  FailAll(core, failures);
}

void FailUnmatched(Core& core) {
  const MonotonicTime now = core.clock.Monotonic();
  const Fleet& fleet = core.board.fleet();
  Failures failures;
  for (const auto& [name, owner] : core.board.owners()) {
    JobWork* job = owner->job();
    if (job == nullptr) continue;
    const JobRow& row = job->row;
    if (row.pinned_class.empty() || fleet.members().empty() || fleet.Has(row.pinned_class, row.pinned_code)) {
      job->unmatched_since.reset();
    } else if (!job->unmatched_since) {
      job->unmatched_since = now;
    } else if (now - *job->unmatched_since >= core.options.pin_patience && !owner->stuck) {
      failures.emplace_back(owner.get(), PinUnmatchedError(row.pinned_class, row.pinned_code));
    }
  }
  FailAll(core, failures);
}

}  // namespace bitwright::server
