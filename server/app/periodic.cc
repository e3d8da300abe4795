#include "server/app/periodic.h"

#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace bitwright {

struct Periodic::State {
  absl::Notification stop;
  std::thread thread;
};

Periodic::Periodic(int64_t pause_micros, std::function<void()> body) : state_(std::make_unique<State>()) {
  state_->thread = std::thread([state = state_.get(), pause_micros, body = std::move(body)] {
    while (!state->stop.WaitForNotificationWithTimeout(absl::Microseconds(pause_micros))) body();
  });
}

Periodic::~Periodic() {
  state_->stop.Notify();
  state_->thread.join();
}

}  // namespace bitwright
