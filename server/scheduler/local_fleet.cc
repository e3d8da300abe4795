#include "server/scheduler/local_fleet.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "proto/base/process.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

// Ticks come ten times a second. Beyond this between two of them, heartbeats have been waiting, too.
constexpr absl::Duration kAway = absl::Seconds(2);

Place ToPlace(const Fleet::Member& member) {
  const v1::WorkerCapacity& capacity = member.capacity;
  return {.worker = member.name,
          .host = capacity.host(),
          .process_id = capacity.process_id(),
          .compute_class = capacity.compute_class(),
          .code_version = capacity.code_version()};
}

// With what it has free now. `small_only`: it asks for small tasks alone; otherwise it does so where it runs as many
// long ones as it may.
AskingWorker ToAskingWorker(const Fleet::Member& member, bool small_only) {
  return {.name = member.name,
          .compute_class = member.capacity.compute_class(),
          .code_version = member.capacity.code_version(),
          .memory_bytes = member.free_memory_bytes(),
          .device_memory_bytes = TaskDeviceMemory(member.capacity),
          .threads = member.threads(),
          .small_only = small_only || !member.TakesLong(),
          .small_lane = member.small_lane,
          .peer = {}};
}

// What the fleet counts of a task that runs on a member.
Fleet::Member::Running ToRunning(const Requirements& needs, const Room& room) {
  return {needs.HostBytes(room.threads, room.device_memory_bytes > 0), needs.small};
}

}  // namespace

std::optional<Room> LocalFleet::PeerOf(const Fleet::Member& member) const {
  std::optional<Room> largest;
  for (const auto& [name, other] : members_.members()) {
    if (name == member.name || other.state != v1::Worker::ACTIVE || LeaseEnd(other.seen) < now_) continue;
    if (other.capacity.compute_class() != member.capacity.compute_class()) continue;
    if (other.capacity.code_version() != member.capacity.code_version()) continue;
    if (!largest || largest->memory_bytes < other.memory_bytes()) largest = other.room();
  }
  return largest;
}

void LocalFleet::Occupy(const Execution& execution, const std::string& worker) {
  const Fleet::Member* member = members_.Find(worker);
  members_.Started(worker, execution.task, ToRunning(execution.needs, member == nullptr ? Room() : member->room()));
  shares_.Started(execution.tenant, now_);
}

void LocalFleet::Free(const Execution& execution, const std::string& worker, std::optional<MonotonicTime> started) {
  members_.Stopped(worker, execution.task);
  shares_.Ended(execution.tenant, started, now_);
  ++stirs_;
}

std::optional<Execution> LocalFleet::Unqueue(const std::string& task) {
  std::optional<Execution> execution = ready_.Remove(task);
  if (execution) shares_.WaitsNoLonger(execution->tenant);
  return execution;
}

void LocalFleet::Submit(Execution execution) {
  Unqueue(execution.task);
  shares_.Waits(execution.tenant, now_);
  ready_.Add(std::move(execution));
  ++stirs_;
}

void LocalFleet::Withdraw(const std::string& task) {
  Unqueue(task);
  if (const auto placed = placed_.find(task); placed != placed_.end()) placed->second.withdrawn = true;
  if (const auto lease = leases_.Remove(task)) Free(lease->execution, lease->place.worker, lease->started);
}

std::vector<Placement> LocalFleet::FindPlaces() {
  std::vector<Placement> found;
  if (paused_ || draining_ || ready_.empty() || looked_at_ == stirs_) return found;
  std::vector<std::pair<int64_t, const WaitingWorkers::Waiter*>> askers;
  for (const auto& [id, waiter] : waiting_.waiters()) askers.emplace_back(id, &waiter);
  for (const auto& [id, waiter] : askers) {
    if (ready_.empty()) break;
    if (auto placement = PlaceFor(id, *waiter)) found.push_back(*std::move(placement));
  }
  looked_at_ = stirs_;
  return found;
}

std::optional<Placement> LocalFleet::PlaceFor(int64_t asker, const WaitingWorkers::Waiter& waiter) {
  const Fleet::Member* member = members_.Find(waiter.worker);
  if (member == nullptr || !member->has_free_slot() || member->state != v1::Worker::ACTIVE) return std::nullopt;
  AskingWorker asking = ToAskingWorker(*member, waiter.small_only);
  if (ready_.HasFailedOn(member->name)) asking.peer = PeerOf(*member);
  const Execution* pick = ready_.Pick(asking, shares_.TurnsAt(now_));
  if (pick == nullptr) return std::nullopt;
  const std::string task = pick->task;
  Placed placed{
      .execution = *ready_.Find(task), .place = ToPlace(*member), .started = now_, .asker = asker, .waiter = {}};
  placed.waiter = *waiting_.Take(asker);
  Occupy(placed.execution, member->name);
  Unqueue(task);
  const Placement placement{task, placed.place};
  placed_.emplace(task, std::move(placed));
  return placement;
}

void LocalFleet::Begin(const std::string& task, v1::Lease lease, MonotonicTime now, Outbox& outbox) {
  now_ = now;
  if (const auto it = placed_.find(task); it != placed_.end() && it->second.withdrawn) return Refuse(task);
  auto node = placed_.extract(task);
  if (!node) return;
  Placed& placed = node.mapped();
  const int64_t token = lease.fencing_token();
  const std::string worker = placed.place.worker;
  leases_.Add({.execution = std::move(placed.execution),
               .place = std::move(placed.place),
               .fencing_token = token,
               .started = placed.started,
               .expiry = LeaseEnd(now)});
  if (members_.Find(worker) == nullptr) {
    outbox.push_back([done = std::move(placed.waiter.done), worker] { done(WorkerUnknownError(worker)); });
    Lose(task, absl::OkStatus());
    return;
  }
  outbox.push_back([done = std::move(placed.waiter.done), lease = std::move(lease)] { done(std::optional(lease)); });
}

void LocalFleet::Refuse(const std::string& task) {
  auto node = placed_.extract(task);
  if (!node) return;
  Placed& placed = node.mapped();
  const Execution execution = placed.execution;
  if (!placed.withdrawn) Submit(std::move(placed.execution));
  Free(execution, placed.place.worker, std::nullopt);
  waiting_.Add(placed.asker, std::move(placed.waiter));
}

void LocalFleet::Resume(Execution execution, const Place& place, int64_t fencing_token, MonotonicTime now) {
  now_ = now;
  const bool known = members_.Find(place.worker) != nullptr;
  Occupy(execution, place.worker);
  leases_.Add({.execution = std::move(execution),
               .place = place,
               .fencing_token = fencing_token,
               .started = now,
               .expiry = LeaseEnd(now),
               .claimed = known});
}

bool LocalFleet::IsOrphan(const HeldLease& lease) const {
  return lease.place.host == options_.host && ProcessIsGone(lease.place.process_id);
}

void LocalFleet::Lose(const std::string& task, const absl::Status& why) {
  const std::optional<HeldLease> lease = leases_.Remove(task);
  if (!lease) return;
  Free(lease->execution, lease->place.worker, lease->started);
  lost_.push_back({task, lease->fencing_token, why});
}

std::vector<LostLease> LocalFleet::Lost(MonotonicTime now) {
  now_ = now;
  const std::vector<std::string> unclaimed(leases_.unclaimed().begin(), leases_.unclaimed().end());
  for (const std::string& task : unclaimed) {
    if (IsOrphan(*leases_.Find(task))) Lose(task, absl::OkStatus());
  }
  // After a stall the next tick comes first.
  if (!ticked_ || now - *ticked_ > kAway) return std::exchange(lost_, {});
  for (const std::string& task : leases_.Expired(now)) {
    if (const HeldLease* lease = leases_.Find(task)) Lose(task, LeaseExpiredError(lease->place.worker));
  }
  return std::exchange(lost_, {});
}

std::vector<Offer> LocalFleet::Offers(MonotonicTime now) const {
  std::map<std::tuple<std::string, std::string, bool>, Offer> offers;
  std::set<std::string_view> asking;
  for (const auto& [id, waiter] : waiting_.waiters()) asking.insert(waiter.worker);
  for (const auto& [name, member] : members_.members()) {
    // One that was lost without a word is remembered for a while, but is no place.
    if (LeaseEnd(member.seen) < now && !asking.contains(name)) continue;
    const v1::WorkerCapacity& capacity = member.capacity;
    const bool closed = member.state != v1::Worker::ACTIVE;
    Offer& offer = offers[{capacity.compute_class(), capacity.code_version(), closed}];
    offer.closed = closed;
    offer.compute_class = capacity.compute_class();
    offer.code_version = capacity.code_version();
    offer.places += member.slots();
    if (!closed) offer.free_places += std::max(0, member.slots() - static_cast<int>(member.running.size()));
    offer.cores += capacity.cores();
    if (offer.memory_bytes < member.memory_bytes()) {
      offer.memory_bytes = member.memory_bytes();
      offer.threads = member.threads();
    }
    offer.device_memory_bytes = std::max(offer.device_memory_bytes, TaskDeviceMemory(capacity));
    offer.small_lane |= member.small_lane;
  }
  std::vector<Offer> list;
  list.reserve(offers.size());
  for (auto& [kind, offer] : offers) list.push_back(std::move(offer));
  return list;
}

std::map<std::string, TaskCounts> LocalFleet::RunningByClass() const {
  std::map<std::string, TaskCounts> running;
  for (const auto& [task, lease] : leases_.leases()) {
    running[lease.place.compute_class].Add(lease.execution.needs.small, 1);
  }
  return running;
}

std::string LocalFleet::Register(const v1::WorkerCapacity& capacity, const Clock& clock) {
  ++changes_;
  std::string name = members_.Add(capacity, clock);
  Fleet::Member& member = *members_.Find(name);
  member.state = restraints_.StateOf(member);
  return name;
}

void LocalFleet::Hear(Fleet::Member& member, const Clock& clock) {
  now_ = clock.Monotonic();
  if (LeaseEnd(member.seen) < clock.Monotonic()) ++changes_;  // it is a place again
  Fleet::Seen(member, clock);
}

int64_t LocalFleet::Ask(WaitingWorkers::Waiter waiter, const Clock& clock, Outbox& outbox) {
  const int64_t id = waiting_.NewId();
  Fleet::Member* member = members_.Find(waiter.worker);
  if (member == nullptr || draining_) {
    const absl::Status why = draining_ ? ServerDrainingError() : WorkerUnknownError(waiter.worker);
    outbox.push_back([done = std::move(waiter.done), why] { done(why); });
    return id;
  }
  Hear(*member, clock);
  if (member->state == v1::Worker::DRAINING) {
    outbox.push_back([done = std::move(waiter.done), name = member->name] { done(WorkerDrainedError(name)); });
    return id;
  }
  if (waiter.small_only && !member->small_lane) {
    member->small_lane = true;
    ++changes_;
  }
  waiting_.Add(id, std::move(waiter));
  ++stirs_;
  return id;
}

void LocalFleet::CancelAsk(int64_t id, Outbox& outbox) { waiting_.Answer(id, std::nullopt, outbox); }

absl::Status LocalFleet::Seen(const std::string& worker, const Clock& clock) {
  Fleet::Member* member = members_.Find(worker);
  if (member == nullptr) return WorkerUnknownError(worker);
  Hear(*member, clock);
  return absl::OkStatus();
}

HeldLease* LocalFleet::Claimed(const LeaseClaim& claim) {
  HeldLease* lease = leases_.Find(claim.task);
  if (lease == nullptr || lease->fencing_token != claim.fencing_token) return nullptr;
  if (lease->place.worker == claim.worker) return lease;
  // The same process under a new name: it registered again after the server or the network was gone.
  const Fleet::Member* member = members_.Find(claim.worker);
  if (member == nullptr || members_.Find(lease->place.worker) != nullptr) return nullptr;
  members_.Started(member->name, claim.task, ToRunning(lease->execution.needs, member->room()));
  leases_.GiveTo(*lease, ToPlace(*member));
  return leases_.Find(claim.task);
}

bool LocalFleet::Renew(const LeaseClaim& claim, MonotonicTime now) {
  HeldLease* lease = Claimed(claim);
  if (lease != nullptr) leases_.Renew(*lease, LeaseEnd(now));
  return lease != nullptr;
}

bool LocalFleet::Holds(const LeaseClaim& claim) { return Claimed(claim) != nullptr; }

bool LocalFleet::HasLease(const std::string& task, int64_t fencing_token) const {
  const HeldLease* lease = leases_.Find(task);
  return lease != nullptr && lease->fencing_token == fencing_token;
}

void LocalFleet::Leave(const std::string& worker, bool died) {
  const absl::Status why = died ? WorkerDiedError(worker) : absl::OkStatus();
  for (const std::string& task : leases_.OfWorker(worker)) Lose(task, why);
  if (const Fleet::Member* member = members_.Find(worker)) restraints_.Left(*member);
  members_.Remove(worker);
  ++changes_;
}

void LocalFleet::ProcessEnded(const std::string& host, int process_id) {
  // In a drain we ended it ourselves.
  for (const std::string& worker : members_.OfProcess(host, process_id)) Leave(worker, !draining_);
  restraints_.Ended(host, process_id);
}

std::optional<MonotonicTime> LocalFleet::LeaseEndOf(const std::string& task) const {
  const HeldLease* lease = leases_.Find(task);
  return lease == nullptr ? std::nullopt : std::optional(lease->expiry);
}

void LocalFleet::SetState(const Fleet::Member& member, v1::Worker::State state) {
  std::vector<std::string> names = {member.name};
  const v1::WorkerCapacity& capacity = member.capacity;
  if (capacity.process_id() > 0) names = members_.OfProcess(capacity.host(), capacity.process_id());
  for (const std::string& name : names) {
    if (Fleet::Member* one = members_.Find(name)) one->state = state;
  }
  ++changes_;
  ++stirs_;
}

absl::StatusOr<v1::Worker> LocalFleet::Cordon(const std::string& worker) {
  Fleet::Member* member = members_.Find(worker);
  if (member == nullptr) {
    const Fleet::Member* drained = restraints_.FindDrained(worker);
    if (drained == nullptr) return WorkerNotFoundError(worker);
    return Fleet::ToProto(*drained);
  }
  if (member->state == v1::Worker::ACTIVE) {
    SetState(*member, v1::Worker::CORDONED);
    restraints_.Set(*member, v1::Worker::CORDONED);
  }
  return Fleet::ToProto(*member);
}

absl::StatusOr<v1::Worker> LocalFleet::Dismiss(const std::string& worker, Outbox& outbox) {
  Fleet::Member* member = members_.Find(worker);
  if (member == nullptr) return Cordon(worker);
  if (member->state != v1::Worker::DRAINING) {
    SetState(*member, v1::Worker::DRAINING);
    restraints_.Set(*member, v1::Worker::DRAINING);
    waiting_.AnswerWorker(worker, WorkerDrainedError(worker), outbox);
  }
  return Fleet::ToProto(*member);
}

absl::StatusOr<v1::Worker> LocalFleet::Uncordon(const std::string& worker) {
  Fleet::Member* member = members_.Find(worker);
  const Fleet::Member* restrained = member != nullptr ? member : restraints_.FindDrained(worker);
  if (restrained == nullptr) return WorkerNotFoundError(worker);
  Fleet::Member now = *restrained;
  now.state = v1::Worker::ACTIVE;
  restraints_.Lift(now);
  SetState(now, now.state);
  return Fleet::ToProto(now);
}

std::vector<v1::Worker> LocalFleet::ListWorkers(const std::string& after, int limit, absl::Time seen_since) const {
  std::vector<const Fleet::Member*> listed;
  for (auto it = members_.members().upper_bound(after); it != members_.members().end(); ++it) {
    if (static_cast<int>(listed.size()) == limit) break;
    if (it->second.last_seen >= seen_since) listed.push_back(&it->second);
  }
  for (const Fleet::Member* drained : restraints_.Drained()) {
    if (drained->name > after) listed.push_back(drained);
  }
  std::sort(listed.begin(), listed.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  std::vector<v1::Worker> workers;
  for (const Fleet::Member* member : listed) {
    if (static_cast<int>(workers.size()) == limit) break;
    workers.push_back(Fleet::ToProto(*member));
  }
  return workers;
}

void LocalFleet::CountBusy(const std::string& worker, double seconds, Metrics& metrics) const {
  if (const Fleet::Member* member = members_.Find(worker)) metrics.WorkerBusy(Fleet::KindOf(*member), seconds);
}

void LocalFleet::AnswerUnknown(Outbox& outbox) {
  std::vector<std::pair<int64_t, std::string>> unknown;
  for (const auto& [id, waiter] : waiting_.waiters()) {
    if (members_.Find(waiter.worker) == nullptr) unknown.emplace_back(id, waiter.worker);
  }
  for (const auto& [id, worker] : unknown) waiting_.Answer(id, WorkerUnknownError(worker), outbox);
}

void LocalFleet::Tick(const Clock& clock, Outbox& outbox) {
  const MonotonicTime now = clock.Monotonic();
  if (ticked_ && now - *ticked_ > kAway) {
    leases_.RenewAll(LeaseEnd(now));
    members_.SeeAll(now);
  }
  ticked_ = now;
  waiting_.AnswerExpired(now, outbox);
  AnswerUnknown(outbox);
  if (members_.ForgetUnseen(now - options_.worker_memory)) ++changes_;
  restraints_.ForgetLeft(now - options_.worker_memory);
}

void LocalFleet::Drain(Outbox& outbox) {
  draining_ = true;
  waiting_.AnswerExpired(MonotonicTime::InfiniteFuture(), outbox);
}

}  // namespace bitwright::server
