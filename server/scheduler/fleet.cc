#include "server/scheduler/fleet.h"

#include <algorithm>

#include "proto/base/random_id.h"
#include "proto/base/wire_time.h"
#include "proto/contract/names.h"

namespace bitwright::server {

int64_t Fleet::Member::free_memory_bytes() const {
  int64_t free = memory_bytes();
  for (const auto& [task, one] : running) free -= one.small && small_lane ? 0 : one.memory_bytes;
  return free;
}

int Fleet::Member::long_tasks() const {
  return static_cast<int>(
      std::count_if(running.begin(), running.end(), [](const auto& entry) { return !entry.second.small; }));
}

int Fleet::Member::busy_slots() const {
  return std::min(slots(), small_lane ? long_tasks() : static_cast<int>(running.size()));
}

std::string Fleet::Add(const v1::WorkerCapacity& capacity, const Clock& clock) {
  const std::string name = ResourceName(Collection::kWorkers, RandomId());
  Member& member = members_[name] = {.name = name, .capacity = capacity};
  Seen(member, clock);
  return name;
}

Fleet::Member* Fleet::Find(const std::string& name) {
  const auto it = members_.find(name);
  return it == members_.end() ? nullptr : &it->second;
}

const Fleet::Member* Fleet::Find(const std::string& name) const {
  const auto it = members_.find(name);
  return it == members_.end() ? nullptr : &it->second;
}

void Fleet::Started(const std::string& worker, const std::string& task, Member::Running running) {
  if (Member* member = Find(worker)) member->running[task] = running;
}

void Fleet::Stopped(const std::string& worker, const std::string& task) {
  if (Member* member = Find(worker)) member->running.erase(task);
}

void Fleet::Seen(Member& member, const Clock& clock) {
  member.last_seen = clock.Now();
  member.seen = clock.Monotonic();
}

void Fleet::SeeAll(MonotonicTime now) {
  for (auto& [name, member] : members_) member.seen = now;
}

bool Fleet::ForgetUnseen(MonotonicTime cutoff) {
  return std::erase_if(members_, [&](const auto& entry) {
           return entry.second.seen < cutoff && entry.second.running.empty();
         }) > 0;
}

std::vector<std::string> Fleet::OfProcess(const std::string& host, int process_id) const {
  std::vector<std::string> names;
  for (const auto& [name, member] : members_) {
    if (member.capacity.host() == host && member.capacity.process_id() == process_id) names.push_back(name);
  }
  return names;
}

double Fleet::CoresOfLargestSlot() const {
  double cores = 0;
  for (const auto& [name, member] : members_) {
    cores = std::max(cores, static_cast<double>(member.capacity.cores()) / member.slots());
  }
  return cores;
}

std::map<WorkerKind, Slots> Fleet::SlotsByKind() const {
  std::map<WorkerKind, Slots> by_kind;
  for (const auto& [name, member] : members_) {
    Slots& slots = by_kind[KindOf(member)];
    slots.total += member.slots();
    slots.busy += member.busy_slots();
    slots.device_memory_bytes += member.capacity.device_memory_bytes();
  }
  return by_kind;
}

v1::Worker Fleet::ToProto(const Member& member) {
  v1::Worker worker;
  worker.set_name(member.name);
  *worker.mutable_capacity() = member.capacity;
  *worker.mutable_last_seen() = bitwright::ToProto(member.last_seen);
  worker.set_state(member.state);
  for (const auto& [task, running] : member.running) worker.add_tasks(task);
  if (worker.tasks_size() > 0) worker.set_task(worker.tasks(0));
  return worker;
}

}  // namespace bitwright::server
