#pragma once

#include <functional>
#include <memory>

namespace bitwright::server {

// Threads for what the scheduler does outside its lock: reading blobs and rows, making tasks. Thread-safe.
class Background {
 public:
  explicit Background(int threads);
  ~Background();  // runs what was posted, then ends
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void Post(std::function<void()> work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::server
