#include "server/web/connection_threads.h"

#include <system_error>
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
  const auto run = [this, body = std::move(body)] {
    body();
    absl::MutexLock lock(&mutex_);
    --running_;
  };
  try {
    std::thread(run).detach();
  } catch (const std::system_error& error) {
    // The machine gives no more threads: this connection is served by the one that accepts, and others wait.
    LOG(WARNING) << "the web page gets no thread for a connection: " << error.what();
    run();
  }
}

void ConnectionThreads::Join() {
  absl::MutexLock lock(&mutex_);
  const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return running_ == 0; };
  while (!mutex_.AwaitWithTimeout(absl::Condition(&ended), kPatience)) {
    LOG(WARNING).With("connections", running_) << "connections of the web page have not ended";
  }
}

}  // namespace bitwright::server
