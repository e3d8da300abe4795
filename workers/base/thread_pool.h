#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace bitwright::worker {

// Runs independent pieces of work on a fixed number of threads.
//
// Determinism: callers cut work at boundaries that depend on the work alone and give every piece its own output; then
// the number of threads cannot change a bit. The pool adds nothing up.
//
// Every thread of the pool (the caller's included, for the time of ParallelFor) runs OpenMP regions single-threaded, so
// that a oneDNN call inside a piece uses one core.
//
// Thread-safe except that ParallelFor must not be called from inside a piece of the same pool.
class ThreadPool {
 public:
  // At least 1 thread; the caller's counts as one of them.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls body(piece, slot) once for each piece in [0, pieces), in any order; slot in [0, threads()) is constant within
  // a call of body and never used by two calls at the same time (for scratch memory). Returns when all are done.
  //
  // A piece may throw (std::bad_alloc where memory ends): no further piece is begun, and when those that run have come
  // to their ends, the exception that was thrown first goes on to the caller. The pool may be used again.
  void ParallelFor(int64_t pieces, const std::function<void(int64_t piece, int slot)>& body);

 private:
  struct State;
  void Work(int slot);

  int threads_;
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::worker
