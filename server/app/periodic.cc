#include "server/app/periodic.h"

#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace bitwright::server {

struct Periodic::State {
  absl::Notification stop;
  std::thread thread;
};

Periodic::Periodic(absl::Duration pause, std::function<void()> body) : state_(std::make_unique<State>()) {
  state_->thread = std::thread([state = state_.get(), pause, body = std::move(body)] {
    while (!state->stop.WaitForNotificationWithTimeout(pause)) body();
  });
}

Periodic::~Periodic() {
  state_->stop.Notify();
  state_->thread.join();
}

}  // namespace bitwright::server
