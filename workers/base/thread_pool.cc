#include "workers/base/thread_pool.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace bitwright::worker {

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable start;
  std::condition_variable done;
  uint64_t generation = 0;  // guarded by mutex; grows with every ParallelFor
  int busy = 0;             // guarded by mutex; helpers still in the current generation
  bool stop = false;        // guarded by mutex
  const std::function<void(int64_t, int)>* body = nullptr;
  int64_t pieces = 0;
  std::atomic<int64_t> next{0};
  std::vector<std::thread> helpers;
};

ThreadPool::ThreadPool(int threads) : threads_(std::max(threads, 1)), state_(std::make_unique<State>()) {
  for (int slot = 1; slot < threads_; ++slot) {
    state_->helpers.emplace_back([this, slot] { Work(slot); });
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->start.notify_all();
  for (std::thread& helper : state_->helpers) helper.join();
}

void ThreadPool::Work(int slot) {
  omp_set_num_threads(1);
  uint64_t seen = 0;
  while (true) {
    {
      std::unique_lock lock(state_->mutex);
      state_->start.wait(lock, [&] { return state_->stop || state_->generation != seen; });
      if (state_->stop) return;
      seen = state_->generation;
    }
    for (int64_t i; (i = state_->next.fetch_add(1)) < state_->pieces;) (*state_->body)(i, slot);
    {
      std::lock_guard lock(state_->mutex);
      --state_->busy;
    }
    state_->done.notify_one();
  }
}

void ThreadPool::ParallelFor(int64_t pieces, const std::function<void(int64_t, int)>& body) {
  const int outer = omp_get_max_threads();
  omp_set_num_threads(1);
  if (threads_ == 1 || pieces <= 1) {
    for (int64_t i = 0; i < pieces; ++i) body(i, 0);
  } else {
    {
      std::lock_guard lock(state_->mutex);
      state_->body = &body;
      state_->pieces = pieces;
      state_->next = 0;
      state_->busy = threads_ - 1;
      ++state_->generation;
    }
    state_->start.notify_all();
    for (int64_t i; (i = state_->next.fetch_add(1)) < pieces;) body(i, 0);
    std::unique_lock lock(state_->mutex);
    state_->done.wait(lock, [&] { return state_->busy == 0; });
  }
  omp_set_num_threads(outer);
}

}  // namespace bitwright::worker
