#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/transfer/access.h"

namespace bitwright::worker {

// What a worker computes numeric tasks on.
struct WorkerDevice {
  std::string kind = "cpu";  // as WorkerCapacity.device
  std::string option;        // what its child is told by --device; empty: nothing
  std::string name;          // of a card
  int64_t memory_bytes = 0;  // of the card
};

struct AgentOptions {
  std::string server;     // "HOST:PORT" or "unix:/path"
  std::string blob_dir;   // the server's blob folder; empty: inputs are downloaded
  std::string work_dir;   // empty: the first free one below work_root
  std::string work_root;  // of this user's workers of this machine
  Access access;          // who this worker is, and by what the server is known
  int threads = 1;
  int64_t memory_bytes = 0;                 // that the worker may take, with all its children
  int64_t memory_limit_bytes = 0;           // that its children together are held to; 0: none
  int64_t cache_bytes = int64_t{20} << 30;  // of downloaded inputs
  std::string compute_class;
  WorkerDevice device;
  std::string code_version;
  // Files that the code version stands for: when one is replaced, the agent ends, so that a restart announces the new.
  std::vector<std::string> watch_libraries;
  std::string child_program = "/proc/self/exe";
  std::vector<std::string> child_log_options;  // arguments of the child by which it logs as this process does
  absl::Duration child_idle_limit = absl::Seconds(60);
};

// A worker: registers, leases tasks, runs each in a child process, hands results in, sends heartbeats. Runs one task of
// any kind at a time, and beside it, on one thread, one small task. SIGPIPE must be ignored.
class Agent {
 public:
  explicit Agent(AgentOptions options);
  ~Agent();

  // Works until Stop, then abandons a running task; or until an operator drains the worker, then finishes what runs.
  // Deregisters from the server and returns OK. Errors: those of OpenChannel; the work folder cannot be used, the
  // server refuses the worker for good, or a library was replaced (FAILED_PRECONDITION, reason LIBRARY_REPLACED). Call
  // once.
  absl::Status Run();

  // From any thread (not from a signal handler).
  void Stop();

  // The child that is kept now for tasks of any kind, 0 for none. For tests and logs.
  int child_pid() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bitwright::worker
