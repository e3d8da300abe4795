#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/clock.h"
#include "proto/contract/worker_capacity.h"
#include "server/observe/metrics.h"
#include "server/scheduler/executor.h"

namespace bitwright::server {

// The workers that are known, with what each runs. Plain data: the scheduler's lock guards it.
class Fleet {
 public:
  struct Member {
    std::string name;
    v1::WorkerCapacity capacity;
    absl::Time last_seen;  // for people
    MonotonicTime seen;    // the same moment, for what counts on it
    struct Running {
      int64_t memory_bytes = 0;  // estimate
      bool small = false;
    };
    std::map<std::string, Running> running;  // by task name
    // It asks for small tasks apart, and runs one beside the others, in memory that it has not counted here.
    bool small_lane = false;
    v1::Worker::State state = v1::Worker::ACTIVE;  // as operators want it; the others lease nothing new

    // For long tasks and small ones, without the lane of small ones.
    int slots() const { return SlotsOf(capacity); }
    bool has_free_slot() const { return static_cast<int>(running.size()) < slots() + (small_lane ? 1 : 0); }
    int long_tasks() const;  // that it runs
    // Whether another may be among them.
    bool TakesLong() const { return long_tasks() < slots(); }
    // Slots that are taken; a small task that runs beside the others takes none.
    int busy_slots() const;
    // All that it has, and what is left for one more task.
    int64_t memory_bytes() const { return TaskMemory(capacity); }
    int64_t free_memory_bytes() const;
    // Of a task there.
    int threads() const { return ThreadsPerTask(capacity); }
    Room room() const { return {memory_bytes(), TaskDeviceMemory(capacity), threads(), small_lane}; }
  };

  // Gives the worker a new random name.
  std::string Add(const v1::WorkerCapacity& capacity, const Clock& clock);
  void Remove(const std::string& name) { members_.erase(name); }
  Member* Find(const std::string& name);  // null: unknown
  const Member* Find(const std::string& name) const;
  static void Seen(Member& member, const Clock& clock);

  void Started(const std::string& worker, const std::string& task, Member::Running running);
  void Stopped(const std::string& worker, const std::string& task);

  // For all that counts on it, each has been heard of at `now`.
  void SeeAll(MonotonicTime now);
  // Forgets those not seen since `cutoff` that run nothing. False: there were none.
  bool ForgetUnseen(MonotonicTime cutoff);
  // Names of those of one process.
  std::vector<std::string> OfProcess(const std::string& host, int process_id) const;
  // The most cores of one slot; 0 without workers.
  double CoresOfLargestSlot() const;

  const std::map<std::string, Member>& members() const { return members_; }

  std::map<WorkerKind, Slots> SlotsByKind() const;  // without the lanes of small tasks, which take no time
  static WorkerKind KindOf(const Member& member) { return {member.capacity.device(), member.capacity.compute_class()}; }
  static v1::Worker ToProto(const Member& member);

 private:
  std::map<std::string, Member> members_;
};

}  // namespace bitwright::server
