#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "absl/status/status.h"

namespace bitwright {

// Tells every call and every wait of a client to stop, once and for good. Thread-safe; not for signal handlers (a
// thread that waits for signals calls Cancel).
class CancelToken {
 public:
  CancelToken();
  ~CancelToken();
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;

  void Cancel();
  bool cancelled() const;
  // Waits until cancelled or until the time is over. True: cancelled.
  bool WaitFor(std::chrono::nanoseconds time) const;
  // CANCELLED, reason INTERRUPTED, once cancelled; else OK.
  absl::Status Check() const;

  // Calls `callback` once when Cancel is called, at once when that was before; never after the registration is gone.
  // The callback must not touch the token.
  class Registration {
   public:
    Registration(const CancelToken& token, std::function<void()> callback);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    const CancelToken& token_;
    const std::function<void()> callback_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitwright
