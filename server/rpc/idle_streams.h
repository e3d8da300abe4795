#pragma once

#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/base/clock.h"

namespace bitwright::server {

// Streams that hold something while they wait for their caller, and are to let go of it when nothing comes.
// Thread-safe.
class IdleStreams {
 public:
  // One of them.
  class Stream {
   public:
    virtual ~Stream() = default;
    // To end by itself, soon, if nothing has come since `since`. Called with the set locked.
    virtual void EndIfIdle(MonotonicTime since) = 0;
  };

  explicit IdleStreams(absl::Duration limit) : limit_(limit) {}

  absl::Duration limit() const { return limit_; }
  void Add(Stream* stream) {
    absl::MutexLock lock(&mutex_);
    streams_.insert(stream);
  }
  // Afterwards the stream is not called any more.
  void Remove(Stream* stream) {
    absl::MutexLock lock(&mutex_);
    streams_.erase(stream);
  }
  // To be called each second.
  void Look(MonotonicTime now) {
    absl::MutexLock lock(&mutex_);
    for (Stream* stream : streams_) stream->EndIfIdle(now - limit_);
  }

 private:
  const absl::Duration limit_;
  absl::Mutex mutex_;
  std::set<Stream*> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
