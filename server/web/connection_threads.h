#pragma once

#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bitwright::server {

// A thread for each connection, up to a number. A page that is followed for hours has a thread of its own, so that it
// keeps none from others. Thread-safe.
class ConnectionThreads {
 public:
  explicit ConnectionThreads(int most) : most_(most) {}
  ~ConnectionThreads() { Join(); }
  ConnectionThreads(const ConnectionThreads&) = delete;
  ConnectionThreads& operator=(const ConnectionThreads&) = delete;

  // Runs `body` on a thread of its own, once fewer than `most` run: until then further clients wait where the system
  // keeps connections that nobody has accepted.
  void Run(std::function<void()> body);
  // Until all have ended, which the owner of the connections brings about.
  void Join();

 private:
  const int most_;
  absl::Mutex mutex_;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bitwright::server
