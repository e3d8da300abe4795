#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proto/base/clock.h"
#include "server/scheduler/executor.h"

namespace bitwright::server {

// A task on loan to a worker.
struct HeldLease {
  Execution execution;
  Place place;
  int64_t fencing_token = 0;
  MonotonicTime started;
  MonotonicTime expiry;
  bool claimed = true;  // false: of before a restart, and its worker has not been heard of since
};

// Leases by task and by worker, with their expiries in a heap: looking for those that are over costs what is over.
// Plain data.
class LeaseTable {
 public:
  void Add(HeldLease lease);
  std::optional<HeldLease> Remove(const std::string& task);
  HeldLease* Find(const std::string& task);  // null: none
  const HeldLease* Find(const std::string& task) const;
  // Moves the end; never back.
  void Renew(HeldLease& lease, MonotonicTime expiry);
  // Another worker's, from now on; a claim.
  void GiveTo(HeldLease& lease, const Place& place);

  // The tasks whose lease is over.
  std::vector<std::string> Expired(MonotonicTime now);
  // After the server itself was away: every lease ends no sooner than `expiry`.
  void RenewAll(MonotonicTime expiry);

  std::vector<std::string> OfWorker(const std::string& worker) const;
  const std::set<std::string>& unclaimed() const { return unclaimed_; }
  const std::unordered_map<std::string, HeldLease>& leases() const { return leases_; }  // by task
  size_t size() const { return leases_.size(); }

 private:
  // Of a moment when the lease could be over; looked up again then.
  using Due = std::pair<MonotonicTime, std::string>;
  struct Later {
    bool operator()(const Due& a, const Due& b) const { return a.first > b.first; }
  };

  std::unordered_map<std::string, HeldLease> leases_;
  std::map<std::string, std::set<std::string>> by_worker_;
  std::set<std::string> unclaimed_;
  std::priority_queue<Due, std::vector<Due>, Later> due_;
};

}  // namespace bitwright::server
