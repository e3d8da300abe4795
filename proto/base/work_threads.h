#pragma once

#include <functional>
#include <memory>

namespace bitwright {

// Threads that run what is posted, in order of posting. Thread-safe.
class WorkThreads {
 public:
  // `nice`: by how much they stand back where processors are scarce, as in nice(1), 0 to 19.
  explicit WorkThreads(int threads, int nice = 0);
  ~WorkThreads();  // runs what was posted, then ends
  WorkThreads(const WorkThreads&) = delete;
  WorkThreads& operator=(const WorkThreads&) = delete;

  // Never refuses: bounds are the caller's.
  void Post(std::function<void()> work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitwright
