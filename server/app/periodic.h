#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace bitwright {

// A thread that calls `body` again and again with a pause between, until the object goes.
class Periodic {
 public:
  Periodic(int64_t pause_micros, std::function<void()> body);
  ~Periodic();  // waits for a running call
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitwright
