#pragma once

#include <functional>
#include <memory>

#include "absl/time/time.h"

namespace bitwright::server {

// A thread that calls `body` again and again with a pause between, until the object goes.
class Periodic {
 public:
  Periodic(absl::Duration pause, std::function<void()> body);
  ~Periodic();  // waits for a running call
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::server
