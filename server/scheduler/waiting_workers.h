#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/clock.h"
#include "server/scheduler/subscribers.h"

namespace bitwright::server {

// Runs exactly once: with a lease, with nothing when the wait is over, or with an error.
using LeaseDone = std::function<void(absl::StatusOr<std::optional<v1::Lease>>)>;

// Calls for a lease that wait for a task, in order of arrival. Plain data: the scheduler's lock guards it.
class WaitingWorkers {
 public:
  struct Waiter {
    std::string worker;
    MonotonicTime deadline;
    bool small_only = false;
    LeaseDone done;
  };

  // An id for a call that need not wait.
  int64_t NewId() { return next_id_++; }
  // Under its id of before, a call that was taken out waits in its old place.
  void Add(int64_t id, Waiter waiter) { waiters_[id] = std::move(waiter); }
  // Takes the call out, unanswered; nothing: it is not there.
  std::optional<Waiter> Take(int64_t id);
  const std::map<int64_t, Waiter>& waiters() const { return waiters_; }

  // Answers the call and forgets it; without effect when it was answered.
  void Answer(int64_t id, absl::StatusOr<std::optional<v1::Lease>> lease, Outbox& outbox);
  // All calls of one worker.
  void AnswerWorker(const std::string& worker, const absl::Status& status, Outbox& outbox);
  // Those whose deadline is not later than `now` get nothing.
  void AnswerExpired(MonotonicTime now, Outbox& outbox);

 private:
  std::map<int64_t, Waiter> waiters_;
  int64_t next_id_ = 1;
};

}  // namespace bitwright::server
