#include "workers/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace bitwright::worker {
namespace {

TEST(ThreadPool, EveryPieceRunsOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 50; ++round) {
      std::vector<std::atomic<int>> count(97);
      pool.ParallelFor(97, [&](int64_t piece, int slot) {
        ASSERT_LT(slot, threads);
        ++count[static_cast<size_t>(piece)];
      });
      for (const auto& c : count) EXPECT_EQ(c, 1);
    }
  }
}

TEST(ThreadPool, NoPieceNoCall) {
  ThreadPool pool(3);
  pool.ParallelFor(0, [](int64_t, int) { FAIL(); });
}

}  // namespace
}  // namespace bitwright::worker
