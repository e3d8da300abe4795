#include "workers/base/thread_pool.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bitwright::worker {
namespace {

// OpenMP regions of this thread run single-threaded while the object lives.
class OneOmpThread {
 public:
  OneOmpThread() : outer_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneOmpThread() { omp_set_num_threads(outer_); }
  OneOmpThread(const OneOmpThread&) = delete;
  OneOmpThread& operator=(const OneOmpThread&) = delete;

 private:
  const int outer_;
};

}  // namespace

struct ThreadPool::State {
  absl::Mutex mutex;
  absl::CondVar start;
  absl::CondVar done;
  uint64_t generation ABSL_GUARDED_BY(mutex) = 0;  // grows with every ParallelFor
  int busy ABSL_GUARDED_BY(mutex) = 0;             // helpers still in the current generation
  bool stop ABSL_GUARDED_BY(mutex) = false;
  const std::function<void(int64_t, int)>* body ABSL_GUARDED_BY(mutex) = nullptr;
  int64_t pieces ABSL_GUARDED_BY(mutex) = 0;
  std::exception_ptr thrown ABSL_GUARDED_BY(mutex);  // the first of the current generation
  std::atomic<int64_t> next{0};
  std::vector<std::thread> helpers;

  // The next piece that nobody has taken, until none is left or one has thrown.
  void TakePieces(const std::function<void(int64_t, int)>& run, int64_t count, int slot) {
    try {
      for (int64_t i; (i = next.fetch_add(1)) < count;) run(i, slot);
    } catch (...) {
      next = count;  // nobody begins another piece
      absl::MutexLock lock(&mutex);
      if (thrown == nullptr) thrown = std::current_exception();
    }
  }

  // Until no helper touches `body` or what it refers to. What was thrown, if anything.
  std::exception_ptr AwaitHelpers() {
    absl::MutexLock lock(&mutex);
    while (busy != 0) done.Wait(&mutex);
    return std::exchange(thrown, nullptr);
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
  const OneOmpThread single;
  if (threads_ == 1 || pieces <= 1) {
    for (int64_t i = 0; i < pieces; ++i) body(i, 0);
    return;
  }
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
  if (const std::exception_ptr thrown = state_->AwaitHelpers()) std::rethrow_exception(thrown);
}

}  // namespace bitwright::worker
