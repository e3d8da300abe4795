#include "server/web/connection_threads.h"

#include <thread>
#include <utility>

#include "proto/base/log.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);  // until a wait is worth a line in the log

}  // namespace

void ConnectionThreads::Run(std::function<void()> body) {
  {
    absl::MutexLock lock(&mutex_);
    const auto has_room = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return running_ < most_; };
    while (!mutex_.AwaitWithTimeout(absl::Condition(&has_room), kPatience)) {
      LOG(WARNING).With("connections", most_) << "the web page has as many connections as it may; others wait";
    }
    ++running_;
  }
  std::thread([this, body = std::move(body)] {
    body();
    absl::MutexLock lock(&mutex_);
    --running_;
  }).detach();
}

void ConnectionThreads::Join() {
  absl::MutexLock lock(&mutex_);
  const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return running_ == 0; };
  while (!mutex_.AwaitWithTimeout(absl::Condition(&ended), kPatience)) {
    LOG(WARNING).With("connections", running_) << "connections of the web page have not ended";
  }
}

}  // namespace bitwright::server
