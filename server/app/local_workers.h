#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bitwright::server {

// What each of `workers` local workers may take of the machine's memory: an equal part, since all of them may run at
// the same time. Given to it as its --memory, which bounds its tasks and is what it announces at most.
int64_t MemoryOfEach(int64_t machine_bytes, int workers);

struct LocalWorkersOptions {
  std::string binary;
  // Arguments of each worker; its length is the number of workers.
  std::vector<std::vector<std::string>> arguments;
  // Called after a worker's process ended and before it is started again. Must be thread-safe.
  std::function<void(pid_t process)> on_exit;
  // Whether, as things are, nothing is to be started in place of a process that ended; asked each second until it is
  // false. Null: never. Must be thread-safe.
  std::function<bool(pid_t process)> stays_away;
};

// Worker processes of this machine, each started again when it ends (unless an operator has drained it), with a growing
// pause while it ends early. They die with this process, however that ends. Thread-safe.
class LocalWorkers {
 public:
  // FAILED_PRECONDITION, reason WORKER_BINARY_MISSING.
  static absl::StatusOr<std::unique_ptr<LocalWorkers>> Start(LocalWorkersOptions options);
  ~LocalWorkers();  // Stop with no patience

  // Asks all to end (SIGTERM), waits for them at most that long, then kills the rest.
  void Stop(absl::Duration limit);

  // Process ids of those that run now.
  std::vector<pid_t> process_ids() const;

 private:
  struct State;
  explicit LocalWorkers(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::server
