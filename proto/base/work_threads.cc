#include "proto/base/work_threads.h"

#include <unistd.h>

#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bitwright {

struct WorkThreads::State {
  absl::Mutex mutex;
  std::deque<std::function<void()>> waiting ABSL_GUARDED_BY(mutex);
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  std::vector<std::thread> threads;

  bool Runnable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return stopping || !waiting.empty(); }

  void Run() {
    while (true) {
      std::function<void()> work;
      {
        absl::MutexLock lock(&mutex);
        mutex.Await(absl::Condition(this, &State::Runnable));
        if (waiting.empty()) return;
        work = std::move(waiting.front());
        waiting.pop_front();
      }
      work();
    }
  }
};

WorkThreads::WorkThreads(int threads, int nice) : state_(std::make_unique<State>()) {
  for (int i = 0; i < threads; ++i) {
    state_->threads.emplace_back([state = state_.get(), nice] {
      (void)::nice(nice);  // on Linux of this thread alone; one that stands back less is no harm
      state->Run();
    });
  }
}

WorkThreads::~WorkThreads() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
  }
  for (std::thread& thread : state_->threads) thread.join();
}

void WorkThreads::Post(std::function<void()> work) {
  absl::MutexLock lock(&state_->mutex);
  state_->waiting.push_back(std::move(work));
}

}  // namespace bitwright
