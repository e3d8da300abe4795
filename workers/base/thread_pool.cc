#include "workers/base/thread_pool.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bitwright::worker {

struct ThreadPool::State {
  absl::Mutex mutex;
  absl::CondVar start;
  absl::CondVar done;
  uint64_t generation ABSL_GUARDED_BY(mutex) = 0;  // grows with every ParallelFor
  int busy ABSL_GUARDED_BY(mutex) = 0;             // helpers still in the current generation
  bool stop ABSL_GUARDED_BY(mutex) = false;
  const std::function<void(int64_t, int)>* body ABSL_GUARDED_BY(mutex) = nullptr;
  int64_t pieces ABSL_GUARDED_BY(mutex) = 0;
  std::atomic<int64_t> next{0};
  std::vector<std::thread> helpers;

  // The next piece that nobody has taken, until none is left.
  void TakePieces(const std::function<void(int64_t, int)>& run, int64_t count, int slot) {
    for (int64_t i; (i = next.fetch_add(1)) < count;) run(i, slot);
  }
};

ThreadPool::ThreadPool(int threads) : threads_(std::max(threads, 1)), state_(std::make_unique<State>()) {
  for (int slot = 1; slot < threads_; ++slot) {
    state_->helpers.emplace_back([this, slot] { Work(slot); });
  }
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stop = true;
  }
  state_->start.SignalAll();
  for (std::thread& helper : state_->helpers) helper.join();
}

void ThreadPool::Work(int slot) {
  omp_set_num_threads(1);
  uint64_t seen = 0;
  while (true) {
    const std::function<void(int64_t, int)>* body = nullptr;
    int64_t pieces = 0;
    {
      absl::MutexLock lock(&state_->mutex);
      while (!state_->stop && state_->generation == seen) state_->start.Wait(&state_->mutex);
      if (state_->stop) return;
      seen = state_->generation;
      body = state_->body;
      pieces = state_->pieces;
    }
    state_->TakePieces(*body, pieces, slot);
    {
      absl::MutexLock lock(&state_->mutex);
      --state_->busy;
    }
    state_->done.Signal();
  }
}

void ThreadPool::ParallelFor(int64_t pieces, const std::function<void(int64_t, int)>& body) {
  const int outer = omp_get_max_threads();
  omp_set_num_threads(1);
  if (threads_ == 1 || pieces <= 1) {
    for (int64_t i = 0; i < pieces; ++i) body(i, 0);
  } else {
    {
      absl::MutexLock lock(&state_->mutex);
      state_->body = &body;
      state_->pieces = pieces;
      state_->next = 0;
      state_->busy = threads_ - 1;
      ++state_->generation;
    }
    state_->start.SignalAll();
    state_->TakePieces(body, pieces, 0);
    absl::MutexLock lock(&state_->mutex);
    while (state_->busy != 0) state_->done.Wait(&state_->mutex);
  }
  omp_set_num_threads(outer);
}

}  // namespace bitwright::worker
