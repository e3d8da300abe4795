#include "server/scheduler/policy_input.h"

namespace bitwright::server {

ReadyTask ToReadyTask(const Owner& owner, const LiveTask& task) {
  const JobWork* job = owner.job();
  return {.task = task.row.name,
          .owner = owner.name,
          .tenant = kOnlyTenant,
          .priority = owner.priority(),
          .owner_create_time = owner.create_time(),
          .not_before = task.not_before,
          .memory_bytes = task.node.memory_bytes,
          .cost_flops = task.node.cost_flops,
          .numeric = task.node.numeric,
          .small = task.node.small,
          .pinned_class = job != nullptr && task.node.numeric ? job->row.pinned_class : std::string(),
          .pinned_code = job != nullptr ? job->row.pinned_code : std::string()};
}

AskingWorker ToAskingWorker(const Fleet::Member& worker, bool small_only) {
  return {.compute_class = worker.capacity.compute_class(),
          .code_version = worker.capacity.code_version(),
          .memory_bytes = worker.free_memory_bytes(),
          .small_only = small_only || !worker.TakesLong(),
          .small_lane = worker.small_lane};
}

}  // namespace bitwright::server
