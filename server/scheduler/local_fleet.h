#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/scheduler/executor.h"
#include "server/scheduler/fleet.h"
#include "server/scheduler/lease_table.h"
#include "server/scheduler/ready_queue.h"
#include "server/scheduler/restraints.h"
#include "server/scheduler/tally.h"
#include "server/scheduler/tenant_shares.h"
#include "server/scheduler/waiting_workers.h"

namespace bitwright::server {

struct FleetOptions {
  absl::Duration lease_ttl = absl::Seconds(10);     // told to workers; they renew every third of it
  absl::Duration lease_grace = absl::Seconds(10);   // beyond the ttl, before the task is given to another
  absl::Duration worker_memory = absl::Minutes(1);  // a worker not seen for this long is forgotten
  std::string host;  // this machine's name as workers give it; leases of before a start end with its processes
};

// A lease as a worker names it.
struct LeaseClaim {
  std::string worker;
  std::string task;
  int64_t fencing_token = 0;
};

// The executor of this server: workers that ask for tasks and hold them under leases. Time passes in Tick; where more
// passed between two ticks than a lease can spare, the server was away (a stall, a suspended machine), no heartbeat
// could be heard, and every lease gets its whole time again. Plain data: the scheduler's lock guards it.
class LocalFleet final : public Executor {
 public:
  explicit LocalFleet(FleetOptions options) : options_(std::move(options)) {}

  void Submit(Execution execution) override;
  void Withdraw(const std::string& task) override;
  std::vector<Placement> FindPlaces() override;
  void Begin(const std::string& task, v1::Lease lease, MonotonicTime now, Outbox& outbox) override;
  void Refuse(const std::string& task) override;
  void Resume(Execution execution, const Place& place, int64_t fencing_token, MonotonicTime now) override;
  std::vector<LostLease> Lost(MonotonicTime now) override;
  std::vector<Offer> Offers(MonotonicTime now) const override;
  int64_t changes() const override { return changes_; }

  // What workers do. An unknown worker: NOT_FOUND, reason WORKER_UNKNOWN.
  std::string Register(const v1::WorkerCapacity& capacity, const Clock& clock);
  // The id to cancel it by. `done` runs exactly once.
  int64_t Ask(WaitingWorkers::Waiter waiter, const Clock& clock, Outbox& outbox);
  void CancelAsk(int64_t id, Outbox& outbox);
  absl::Status Seen(const std::string& worker, const Clock& clock);
  // Renews the lease; a worker that registered anew takes its leases of before along. False: it is not this worker's.
  bool Renew(const LeaseClaim& claim, MonotonicTime now);
  // Whether a result may come from this worker; as Renew, without renewing.
  bool Holds(const LeaseClaim& claim);
  // Whether the lease of this token is there, whoever has it.
  bool HasLease(const std::string& task, int64_t fencing_token) const;
  // When the lease ends unless it is renewed; nothing: there is none.
  std::optional<MonotonicTime> LeaseEndOf(const std::string& task) const;
  // The worker goes; its leases are lost. `died`: that counts as an attempt.
  void Leave(const std::string& worker, bool died);
  void ProcessEnded(const std::string& host, int process_id);

  // What operators do. An unknown worker: NOT_FOUND, reason WORKER_NOT_FOUND. Each holds for the worker's process,
  // under whatever name that registers.
  absl::StatusOr<v1::Worker> Cordon(const std::string& worker);
  absl::StatusOr<v1::Worker> Dismiss(const std::string& worker, Outbox& outbox);  // drains it
  absl::StatusOr<v1::Worker> Uncordon(const std::string& worker);
  // Whether a process that ended was drained and not uncordoned since.
  bool IsDismissed(const std::string& host, int process_id) const { return restraints_.IsKept(host, process_id); }
  // Counts what a task took on a worker; on one that is not known any more nothing.
  void CountBusy(const std::string& worker, double seconds, Metrics& metrics) const;
  // By name, those after `after`, at most `limit`: workers seen since, and drained ones.
  std::vector<v1::Worker> ListWorkers(const std::string& after, int limit, absl::Time seen_since) const;

  // Ends waits and forgets silent workers.
  void Tick(const Clock& clock, Outbox& outbox);
  // Nothing more is placed, and asking workers are sent away; or it goes on.
  void Drain(Outbox& outbox);
  void Pause(bool paused) { paused_ = paused; }
  bool draining() const { return draining_; }

  // Tasks under a lease, by the compute class of their worker. After a restart, until it is heard of,
  // that which the task is pinned to; empty: none.
  std::map<std::string, TaskCounts> RunningByClass() const;

  const Fleet& members() const { return members_; }
  const FleetOptions& options() const { return options_; }

 private:
  struct Placed {
    Execution execution;
    Place place;
    MonotonicTime started;
    int64_t asker = 0;
    WaitingWorkers::Waiter waiter;
    bool withdrawn = false;
  };

  MonotonicTime LeaseEnd(MonotonicTime now) const { return now + options_.lease_ttl + options_.lease_grace; }
  // The lease, given to the claiming worker where its own worker is no longer known; null: not its lease.
  HeldLease* Claimed(const LeaseClaim& claim);
  // What the largest open worker of the same kind has; nothing: there is no other.
  std::optional<Room> PeerOf(const Fleet::Member& member) const;
  std::optional<Placement> PlaceFor(int64_t asker, const WaitingWorkers::Waiter& waiter);
  void Hear(Fleet::Member& member, const Clock& clock);
  void Occupy(const Execution& execution, const std::string& worker);
  // `started`: nothing where it did not run.
  void Free(const Execution& execution, const std::string& worker, std::optional<MonotonicTime> started);
  // Takes it from those that wait. Nothing: it is not among them.
  std::optional<Execution> Unqueue(const std::string& task);
  void Lose(const std::string& task, const absl::Status& why);
  // Of the worker, and of those that its process registered as before.
  void SetState(const Fleet::Member& member, v1::Worker::State state);
  bool IsOrphan(const HeldLease& lease) const;
  void AnswerUnknown(Outbox& outbox);

  const FleetOptions options_;
  Fleet members_;
  ReadyQueue ready_;
  WaitingWorkers waiting_;
  std::map<std::string, Placed> placed_;
  LeaseTable leases_;
  TenantShares shares_;
  Restraints restraints_;
  std::vector<LostLease> lost_;
  MonotonicTime now_;  // as of the last call that said so; each round of the scheduler begins with one
  std::optional<MonotonicTime> ticked_;
  int64_t changes_ = 0;
  int64_t looked_at_ = -1;  // the value of stirs_ when FindPlaces last found nothing more
  int64_t stirs_ = 0;       // grows when a task or a place may be free
  bool paused_ = false;
  bool draining_ = false;
};

}  // namespace bitwright::server
