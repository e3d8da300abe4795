#include "proto/base/cancel_token.h"

#include <optional>
#include <thread>

#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

TEST(CancelToken, IsOkUntilCancelled) {
  CancelToken token;
  BITWRIGHT_EXPECT_OK(token.Check());
  EXPECT_FALSE(token.WaitFor(absl::ZeroDuration()));
  token.Cancel();
  token.Cancel();
  EXPECT_TRUE(token.cancelled());
  EXPECT_THAT(token.Check(), HasReason("INTERRUPTED"));
  EXPECT_TRUE(token.WaitFor(absl::InfiniteDuration()));
}

TEST(CancelToken, WakesAWaiter) {
  CancelToken token;
  bool woken = false;
  std::thread waiter([&] { woken = token.WaitFor(absl::InfiniteDuration()); });
  token.Cancel();
  waiter.join();
  EXPECT_TRUE(woken);
}

TEST(CancelToken, CallsEachRegistrationOnceWhileItLives) {
  CancelToken token;
  int before = 0;
  int gone = 0;
  int after = 0;
  const CancelToken::Registration kept(token, [&] { ++before; });
  {
    const CancelToken::Registration left(token, [&] { ++gone; });
  }
  token.Cancel();
  token.Cancel();
  const CancelToken::Registration late(token, [&] { ++after; });
  EXPECT_EQ(before, 1);
  EXPECT_EQ(gone, 0);
  EXPECT_EQ(after, 1);
}

}  // namespace
}  // namespace bitwright
