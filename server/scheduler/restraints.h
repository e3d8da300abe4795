#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "server/scheduler/fleet.h"

namespace bitwright::server {

// Which worker processes an operator has cordoned or drained, also while none of their workers is registered. Lives as
// long as the server does; knows nothing of leases. Plain data: the scheduler's lock guards it.
class Restraints {
 public:
  // The state in which a worker of that process registers. One that has left is not there to register: its id is
  // another process's by then.
  v1::Worker::State StateOf(const Fleet::Member& member) const;

  void Set(const Fleet::Member& member, v1::Worker::State state);
  void Lift(const Fleet::Member& member);

  // Its worker takes leave: a draining one has drained, for others nothing more is to be known.
  void Left(const Fleet::Member& member);
  // The process was one that the server started, and is over. A drained one is kept until it is lifted.
  void Ended(const std::string& host, int process_id);
  // Whether no process is to be started in its place.
  bool IsKept(const std::string& host, int process_id) const;

  // A worker that has drained, by its name; null: none. Valid until the next change.
  const Fleet::Member* FindDrained(const std::string& name) const;
  std::vector<const Fleet::Member*> Drained() const;
  // Forgets those that drained before `cutoff` and are not kept.
  void ForgetLeft(MonotonicTime cutoff);

 private:
  // Host and process id; a worker that does not say its process counts by its name.
  using Process = std::pair<std::string, int>;
  struct Restraint {
    v1::Worker::State state = v1::Worker::CORDONED;
    Fleet::Member member;  // as it was when it was restrained, or when it left
    bool kept = false;
  };
  static Process ProcessOf(const Fleet::Member& member);

  std::map<Process, Restraint> by_process_;
};

}  // namespace bitwright::server
