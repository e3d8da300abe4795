#include "server/rpc/work_pool.h"

#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bitwright::server {
namespace {

constexpr int kTasksPerTurn = 4;

}  // namespace

struct WorkPool::State {
  absl::Mutex mutex;
  std::deque<std::function<void()>> tasks ABSL_GUARDED_BY(mutex);
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  std::vector<std::thread> threads;

  bool Runnable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return stopping || !tasks.empty(); }

  void Run() {
    while (true) {
      std::function<void()> task;
      {
        absl::MutexLock lock(&mutex);
        mutex.Await(absl::Condition(this, &State::Runnable));
        if (tasks.empty()) return;
        task = std::move(tasks.front());
        tasks.pop_front();
      }
      task();
    }
  }
};

WorkPool::WorkPool(int threads) : state_(std::make_unique<State>()) {
  for (int i = 0; i < threads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->Run(); });
  }
}

WorkPool::~WorkPool() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
  }
  for (std::thread& thread : state_->threads) thread.join();
}

void WorkPool::Post(std::function<void()> task) {
  absl::MutexLock lock(&state_->mutex);
  state_->tasks.push_back(std::move(task));
}

struct Strand::State {
  explicit State(WorkPool& p) : pool(p) {}
  WorkPool& pool;
  absl::Mutex mutex;
  std::deque<std::function<void()>> tasks ABSL_GUARDED_BY(mutex);
  bool running ABSL_GUARDED_BY(mutex) = false;

  // A few tasks at a time, so that a long stream does not keep a thread from everyone else.
  static void Run(const std::shared_ptr<State>& state) {
    for (int turn = 0; turn < kTasksPerTurn; ++turn) {
      std::function<void()> task;
      {
        absl::MutexLock lock(&state->mutex);
        if (state->tasks.empty()) {
          state->running = false;
          return;
        }
        task = std::move(state->tasks.front());
        state->tasks.pop_front();
      }
      task();
    }
    state->pool.Post([state] { Run(state); });
  }
};

Strand::Strand(WorkPool& pool) : state_(std::make_shared<State>(pool)) {}
Strand::~Strand() = default;

void Strand::Post(std::function<void()> task) {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->tasks.push_back(std::move(task));
    if (state_->running) return;
    state_->running = true;
  }
  state_->pool.Post([state = state_] { State::Run(state); });
}

}  // namespace bitwright::server
