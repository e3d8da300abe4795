#include "workers/agent/stop_signal.h"

#include <gtest/gtest.h>

#include <thread>

namespace bitwright::worker {
namespace {

TEST(StopSignal, WakesWaitersAndRunsHooksOnce) {
  StopSignal signal;
  int calls = 0;
  const StopSignal::Hook hook(signal, [&] { ++calls; });
  EXPECT_FALSE(signal.WaitFor(absl::ZeroDuration()));
  std::thread waiter([&] { EXPECT_TRUE(signal.WaitFor(absl::InfiniteDuration())); });
  signal.Stop();
  signal.Stop();
  waiter.join();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(signal.stopped());
}

TEST(StopSignal, LateHookRunsAtOnceAndGoneHookNever) {
  StopSignal signal;
  int gone = 0;
  {
    const StopSignal::Hook hook(signal, [&] { ++gone; });
  }
  signal.Stop();
  int late = 0;
  const StopSignal::Hook hook(signal, [&] { ++late; });
  EXPECT_EQ(gone, 0);
  EXPECT_EQ(late, 1);
}

}  // namespace
}  // namespace bitwright::worker
