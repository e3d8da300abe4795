#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "proto/base/clock.h"
#include "server/auth/audit_log.h"
#include "server/auth/authenticator.h"
#include "server/observe/metrics.h"
#include "server/observe/span.h"

namespace bitwright::server {

struct LaneLimits {
  std::string_view name;  // a literal
  int threads = 1;
  int most_waiting = 1;  // steps in the queue, beyond which no new call is taken
  int most_streams = 1;  // streams and waits for work open at once
  int nice = 0;          // by how much its threads stand back where processors are scarce
};

// Threads for what may block, disk and database, with a bounded queue. gRPC has as few as two threads for all calls;
// they only pass messages on, so a slow fsync holds up one call and not all of them. Each kind of call has a lane of
// its own, so that one kind cannot keep the threads from another. Order between steps is the caller's to keep.
// Thread-safe.
class Lane {
 public:
  Lane(const LaneLimits& limits, Metrics& metrics);
  ~Lane();  // runs what was posted, then ends
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // The first step of a call. RESOURCE_EXHAUSTED, reason LANE_FULL, when as many steps wait as may: try again later.
  absl::Status Admit(std::function<void()> step);
  // A later step of a call that was admitted: never refused, since such calls are bounded.
  void Post(std::function<void()> step);

  // Counts a stream until CloseStream. RESOURCE_EXHAUSTED, reason LANE_FULL, when as many are open as may.
  absl::Status OpenStream();
  void CloseStream();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What every handler is given besides its own part of the server.
struct RpcEnvironment {
  Metrics& metrics;
  Lane& lane;
  const Clock& clock;
  const Authenticator& authenticator;
  AuditLog& audit;
  SpanSink* spans = nullptr;  // null: none are written
};

}  // namespace bitwright::server
