#include "tests/bench/service/pace.h"

#include "proto/base/cancel_token.h"
#include "proto/base/clock.h"

namespace bitwright::server {

double NowSeconds() { return absl::ToDoubleSeconds(SystemClock().Monotonic() - MonotonicTime()); }

void Rest(double seconds) {
  const CancelToken never;
  if (seconds > 0) (void)SystemClock().Sleep(absl::Seconds(seconds), never);
}

void RestUntil(double when) { Rest(when - NowSeconds()); }

}  // namespace bitwright::server
