#include "client/api/clock.h"

namespace bitwright::client {
namespace {

class MachineClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() const override { return std::chrono::steady_clock::now(); }
  absl::Status Sleep(std::chrono::nanoseconds time, const CancelToken& cancel) override {
    cancel.WaitFor(absl::FromChrono(time));
    return cancel.Check();
  }
};

}  // namespace

Clock& SystemClock() {
  static MachineClock clock;
  return clock;
}

}  // namespace bitwright::client
