#include "proto/base/cancel_token.h"

#include <thread>

#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

TEST(CancelToken, WakesWaitersAndRunsCallbacksOnce) {
  CancelToken cancel;
  int calls = 0;
  const CancelToken::Registration registration(cancel, [&] { ++calls; });
  EXPECT_FALSE(cancel.WaitFor(absl::ZeroDuration()));
  EXPECT_THAT(cancel.Check(), IsOk());
  std::thread waiter([&] { EXPECT_TRUE(cancel.WaitFor(absl::InfiniteDuration())); });
  cancel.Cancel();
  cancel.Cancel();
  waiter.join();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(cancel.cancelled());
  EXPECT_THAT(cancel.Check(), HasReason("INTERRUPTED"));
}

TEST(CancelToken, CallbackRunsOnceEvenWhenLate) {
  CancelToken cancel;
  int early = 0;
  int late = 0;
  int gone = 0;
  {
    const CancelToken::Registration registration(cancel, [&] { ++gone; });
  }
  const CancelToken::Registration first(cancel, [&] { ++early; });
  cancel.Cancel();
  cancel.Cancel();
  const CancelToken::Registration second(cancel, [&] { ++late; });
  EXPECT_EQ(early, 1);
  EXPECT_EQ(late, 1);
  EXPECT_EQ(gone, 0);
  EXPECT_TRUE(cancel.WaitFor(absl::Hours(1)));
}

}  // namespace
}  // namespace bitwright
