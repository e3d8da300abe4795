#include "server/scheduler/lease_table.h"

#include <algorithm>

namespace bitwright::server {

void LeaseTable::Add(HeldLease lease) {
  const std::string task = lease.execution.task;
  Remove(task);
  by_worker_[lease.place.worker].insert(task);
  if (!lease.claimed) unclaimed_.insert(task);
  due_.emplace(lease.expiry, task);
  leases_.emplace(task, std::move(lease));
}

std::optional<HeldLease> LeaseTable::Remove(const std::string& task) {
  auto node = leases_.extract(task);
  if (!node) return std::nullopt;
  const auto worker = by_worker_.find(node.mapped().place.worker);
  worker->second.erase(task);
  if (worker->second.empty()) by_worker_.erase(worker);
  unclaimed_.erase(task);
  return std::move(node.mapped());
}

HeldLease* LeaseTable::Find(const std::string& task) {
  const auto it = leases_.find(task);
  return it == leases_.end() ? nullptr : &it->second;
}

const HeldLease* LeaseTable::Find(const std::string& task) const {
  const auto it = leases_.find(task);
  return it == leases_.end() ? nullptr : &it->second;
}

void LeaseTable::Renew(HeldLease& lease, MonotonicTime expiry) { lease.expiry = std::max(lease.expiry, expiry); }

void LeaseTable::GiveTo(HeldLease& lease, const Place& place) {
  HeldLease moved = lease;
  moved.place = place;
  moved.claimed = true;
  Add(std::move(moved));
}

std::vector<std::string> LeaseTable::Expired(MonotonicTime now) {
  std::vector<std::string> expired;
  while (!due_.empty() && due_.top().first <= now) {
    const std::string task = due_.top().second;
    due_.pop();
    const HeldLease* lease = Find(task);
    if (lease == nullptr) continue;
    if (lease->expiry <= now) {
      expired.push_back(task);
    } else {
      due_.emplace(lease->expiry, task);
    }
  }
  return expired;
}

void LeaseTable::RenewAll(MonotonicTime expiry) {
  for (auto& [task, lease] : leases_) Renew(lease, expiry);
}

std::vector<std::string> LeaseTable::OfWorker(const std::string& worker) const {
  const auto it = by_worker_.find(worker);
  if (it == by_worker_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

}  // namespace bitwright::server
