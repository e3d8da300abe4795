#pragma once

#include <functional>
#include <memory>

namespace bitwright::server {

// Threads for what may block: disk and database. gRPC has as few as two threads for all calls; they only pass messages
// on, so a slow fsync holds up one call and not all of them. Order between tasks is the caller's to keep (see Strand).
// Thread-safe.
class WorkPool {
 public:
  explicit WorkPool(int threads);
  ~WorkPool();  // runs what was posted, then ends
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  void Post(std::function<void()> task);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Runs tasks one at a time, in order of posting, on the threads of a pool. Thread-safe. Must outlive its tasks.
class Strand {
 public:
  explicit Strand(WorkPool& pool);
  ~Strand();
  void Post(std::function<void()> task);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace bitwright::server
