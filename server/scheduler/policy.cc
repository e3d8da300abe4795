#include "server/scheduler/policy.h"

#include <map>
#include <tuple>

namespace bitwright::server {

bool MayRun(const ReadyTask& task, const AskingWorker& worker) {
  if (task.memory_bytes > worker.memory_bytes && !(task.small && worker.small_lane)) return false;
  if (worker.small_only && !task.small) return false;
  if (!task.pinned_code.empty() && task.pinned_code != worker.code_version) return false;
  return !task.numeric || task.pinned_class.empty() || task.pinned_class == worker.compute_class;
}

std::optional<size_t> PickTask(const PolicySnapshot& snapshot, const AskingWorker& worker) {
  std::map<std::string, int> running;
  for (const RunningShare& share : snapshot.shares) running[share.tenant] += share.running_tasks;
  // Smaller is sooner.
  const auto rank = [&](const ReadyTask& task) {
    const auto share = running.find(task.tenant);
    return std::make_tuple(-task.priority, share == running.end() ? 0 : share->second, task.owner_create_time,
                           -task.cost_flops, std::string_view(task.task));
  };
  std::optional<size_t> best;
  for (size_t i = 0; i < snapshot.ready.size(); ++i) {
    if (snapshot.ready[i].not_before > snapshot.now || !MayRun(snapshot.ready[i], worker)) continue;
    if (!best || rank(snapshot.ready[i]) < rank(snapshot.ready[*best])) best = i;
  }
  return best;
}

absl::Duration RetryDelay(int attempt) {
  if (attempt <= 1) return absl::ZeroDuration();
  if (attempt == 2) return absl::Seconds(1);
  if (attempt == 3) return absl::Seconds(5);
  return absl::Seconds(25);
}

}  // namespace bitwright::server
