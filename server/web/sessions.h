#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/base/clock.h"

namespace bitwright::server {

// Somebody who signed in, or on a service that asks nobody, everybody.
struct Session {
  std::string token;  // for every call of the service; empty: none is asked for
  std::string csrf;   // what a form must bring to be one of this session's pages
};

// Who is signed in. A browser holds a random id alone; its token stays here, in memory, and a restart signs everybody
// out. Thread-safe.
class Sessions {
 public:
  static constexpr absl::Duration kIdle = absl::Hours(12);  // until a session that nobody uses is over
  static constexpr size_t kMost = 10'000;                   // beyond which the one that was idle longest is over

  explicit Sessions(const Clock& clock);

  // Returns the id.
  std::string Open(const std::string& token);
  std::optional<Session> Find(const std::string& id);
  void Close(const std::string& id);
  // That of everybody who is not signed in.
  const Session& nobody() const { return nobody_; }

 private:
  struct Entry {
    Session session;
    MonotonicTime used;
  };
  void MakeRoom(MonotonicTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const Session nobody_;
  absl::Mutex mutex_;
  std::map<std::string, Entry> open_ ABSL_GUARDED_BY(mutex_);  // by the SHA-256 of the id
};

}  // namespace bitwright::server
