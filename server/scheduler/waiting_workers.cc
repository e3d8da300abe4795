#include "server/scheduler/waiting_workers.h"

#include <utility>
#include <vector>

namespace bitwright::server {

void WaitingWorkers::Answer(int64_t id, absl::StatusOr<std::optional<v1::Lease>> lease, Outbox& outbox) {
  const auto it = waiters_.find(id);
  if (it == waiters_.end()) return;
  outbox.push_back([done = std::move(it->second.done), lease = std::move(lease)] { done(lease); });
  waiters_.erase(it);
}

std::optional<WaitingWorkers::Waiter> WaitingWorkers::Take(int64_t id) {
  auto node = waiters_.extract(id);
  return node ? std::optional(std::move(node.mapped())) : std::nullopt;
}

void WaitingWorkers::AnswerWorker(const std::string& worker, const absl::Status& status, Outbox& outbox) {
  std::vector<int64_t> asked;
  for (const auto& [id, waiter] : waiters_) {
    if (waiter.worker == worker) asked.push_back(id);
  }
  for (const int64_t id : asked) Answer(id, status, outbox);
}

void WaitingWorkers::AnswerExpired(MonotonicTime now, Outbox& outbox) {
  std::vector<int64_t> expired;
  for (const auto& [id, waiter] : waiters_) {
    if (waiter.deadline <= now) expired.push_back(id);
  }
  for (const int64_t id : expired) Answer(id, std::nullopt, outbox);
}

}  // namespace bitwright::server
