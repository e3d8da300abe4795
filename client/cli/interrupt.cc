#include "client/cli/interrupt.h"

#include <unistd.h>

#include <atomic>

namespace bitwright::client {
namespace {

// A process has one set of signals; so this is the process's state, not an object's.
std::atomic<int> group_to_kill{0};

}  // namespace

void KillGroupOnSecondInterrupt(int process_group) { group_to_kill = process_group; }

Interrupt::Interrupt(std::shared_ptr<CancelToken> cancel) : cancel_(std::move(cancel)) {
  sigemptyset(&signals_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&signals_, number);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  thread_ = std::thread([this] { Wait(); });
}

Interrupt::~Interrupt() {
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interrupt::Wait() {
  for (int number = 0; sigwait(&signals_, &number) == 0 && number != SIGUSR1;) {
    if (!cancel_->cancelled()) {
      cancel_->Cancel();
      continue;
    }
    if (const int group = group_to_kill; group > 0) ::kill(-group, SIGKILL);
    ::_exit(130);
  }
}

}  // namespace bitwright::client
