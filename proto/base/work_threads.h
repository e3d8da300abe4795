#pragma once

#include <functional>
#include <memory>

namespace bitwright {

// Threads that run what is posted, in order of posting. Thread-safe.
class WorkThreads {
 public:
  explicit WorkThreads(int threads);
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
