#include "server/rpc/work_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"

namespace bitwright::server {
namespace {

TEST(WorkPool, RunsWhatWasPostedBeforeItEnds) {
  std::atomic<int> ran{0};
  {
    WorkPool pool(3);
    for (int i = 0; i < 1000; ++i) pool.Post([&] { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(Strand, KeepsOrder) {
  WorkPool pool(4);
  Strand strand(pool);
  std::vector<int> order;
  absl::BlockingCounter left(1000);
  for (int i = 0; i < 1000; ++i) {
    strand.Post([&, i] {
      order.push_back(i);
      left.DecrementCount();
    });
  }
  left.Wait();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(order[i], i);
}

TEST(Strand, ALongStrandLeavesTheOnlyThreadToOthers) {
  WorkPool pool(1);
  Strand strand(pool);
  std::atomic<bool> stop{false};
  absl::Notification ended;
  std::function<void()> again = [&] { stop ? ended.Notify() : strand.Post(again); };
  strand.Post(again);
  absl::Notification other;
  pool.Post([&] { other.Notify(); });
  other.WaitForNotification();
  stop = true;
  ended.WaitForNotification();
}

}  // namespace
}  // namespace bitwright::server
