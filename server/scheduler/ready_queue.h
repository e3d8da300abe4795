#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "server/scheduler/executor.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/tenant_shares.h"

namespace bitwright::server {

// Tasks that wait for a place, in the order of the policy: higher priority first, then the tenant whose turn it is
// (tenant_shares.h), then the older owner, the larger task, and its name. Kept apart by what they need, then by
// priority and tenant, each in order; a pick looks at the heads, and passes over those only whose memory does not fit,
// and those that failed on the asking worker while another one of its kind is there. Plain data.
class ReadyQueue {
 public:
  void Add(Execution execution);
  // Nothing: it is not there.
  std::optional<Execution> Remove(const std::string& task);
  const Execution* Find(const std::string& task) const;
  // The task for this worker; it stays.
  const Execution* Pick(const AskingWorker& worker, const TenantTurns& turns) const;

  // Whether a task waits that failed on this worker.
  bool HasFailedOn(const std::string& worker) const { return failed_on_.contains(worker); }

  bool empty() const { return tasks_.empty(); }
  size_t size() const { return tasks_.size(); }

 private:
  struct Kind {
    std::string compute_class;
    std::string code_version;
    bool small = false;
    auto operator<=>(const Kind&) const = default;
  };
  // Smaller is sooner.
  struct Rank {
    absl::Time owner_create_time;
    double minus_cost = 0;
    std::string task;
    bool operator<(const Rank& other) const;
  };
  using Line = std::set<Rank>;                             // of one tenant
  using Level = std::map<std::string, Line>;               // by tenant
  using Levels = std::map<int, Level, std::greater<int>>;  // by priority

  static Kind KindOf(const Execution& execution);
  static Rank RankOf(const Execution& execution);
  static bool MayRun(const Kind& kind, const AskingWorker& worker);
  // The first of the line that fits; null: none.
  const Execution* FirstFitting(const Line& line, const AskingWorker& worker) const;
  // The best of one priority that is sooner than `best`, or `best`.
  const Execution* BestOf(const Level& level, const AskingWorker& worker, const TenantTurns& turns,
                          const Execution* best) const;

  std::unordered_map<std::string, Execution> tasks_;
  std::map<Kind, Levels> kinds_;
  std::multiset<std::string> failed_on_;  // of the tasks, where they have failed
};

}  // namespace bitwright::server
