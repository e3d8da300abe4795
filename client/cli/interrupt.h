#pragma once

#include <csignal>
#include <memory>
#include <thread>

#include "proto/base/cancel_token.h"

namespace bitwright::client {

// Turns SIGINT, SIGTERM and SIGHUP into the cancellation of a token while it lives; a second one ends the process at
// once with 130. Make it before any other thread: those inherit that the signals are blocked.
class Interrupt {
 public:
  explicit Interrupt(std::shared_ptr<CancelToken> cancel);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  void Wait();

  std::shared_ptr<CancelToken> cancel_;
  sigset_t signals_;
  sigset_t before_;
  std::thread thread_;
};

// The process group that a second signal kills first; 0: none.
void KillGroupOnSecondInterrupt(int process_group);

}  // namespace bitwright::client
