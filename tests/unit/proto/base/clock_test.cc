#include "proto/base/clock.h"

#include "proto/base/wire_time.h"
#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

TEST(Clock, MonotonicTimeNeverGoesBack) {
  const SystemClock clock;
  const MonotonicTime first = clock.Monotonic();
  EXPECT_GE(clock.Monotonic(), first);
  EXPECT_LT(MonotonicTime(), first) << "the default lies before any moment";
  EXPECT_LT(first + absl::Hours(1000000), MonotonicTime::InfiniteFuture());
}

TEST(Clock, MonotonicTimeCountsDurations) {
  const MonotonicTime time(absl::Seconds(5));
  EXPECT_EQ((time + absl::Seconds(2)) - time, absl::Seconds(2));
  EXPECT_EQ(time - absl::Seconds(5), MonotonicTime());
  EXPECT_TRUE(time <= time && time >= time && time == time);
}

TEST(Clock, ACancelledSleepEndsAtOnce) {
  const SystemClock clock;
  CancelToken cancel;
  BITWRIGHT_EXPECT_OK(clock.Sleep(absl::ZeroDuration(), cancel));
  cancel.Cancel();
  EXPECT_THAT(clock.Sleep(absl::InfiniteDuration(), cancel), HasReason("INTERRUPTED"));
}

TEST(WireTime, KeepsMicroseconds) {
  const absl::Time time = absl::FromUnixMicros(1'700'000'000'123'456);
  EXPECT_EQ(ToMicros(time), 1'700'000'000'123'456);
  EXPECT_EQ(TimeFromMicros(ToMicros(time)), time);
  EXPECT_EQ(FromProto(ToProto(time)), time);
  const absl::Duration duration = absl::Microseconds(2'500'001);
  EXPECT_EQ(ToProto(duration).seconds(), 2);
  EXPECT_EQ(ToProto(duration).nanos(), 500'001'000);
  EXPECT_EQ(FromProto(ToProto(duration)), duration);
  EXPECT_EQ(ToProto(absl::Nanoseconds(1999)).nanos(), 1000) << "the rest is cut off";
}

}  // namespace
}  // namespace bitwright
