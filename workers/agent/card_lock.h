#pragma once

#include <string>

#include "proto/base/owned_fd.h"

namespace bitwright::worker {

// Keeps a card from other workers of the machine for as long as the process lives, however it ends: a local socket that
// is bound to an abstract name made of the card's id, which the kernel gives to one process at a time. It holds within
// a network namespace: containers are given different cards by whoever starts them.
class CardLock {
 public:
  // False: another process has it. Where no socket can be made nothing is kept, and it is taken to be free.
  bool Take(const std::string& card_id);

 private:
  OwnedFd socket_;
};

}  // namespace bitwright::worker
