#include "workers/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <stdexcept>
#include <string>
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

// The state that the pieces use is gone once the exception has left the block: a piece that still ran would touch it.
TEST(ThreadPool, AnExceptionComesOutWhenAllPiecesHaveStopped) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 300; ++round) {
      std::atomic<int> running{0};
      std::string caught;
      try {
        pool.ParallelFor(64, [&](int64_t piece, int) {
          ++running;
          const std::string name = "piece " + std::to_string(piece);
          --running;
          if (piece % 3 == round % 3) throw std::runtime_error(name);
        });
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(running, 0);
        caught = error.what();
      }
      EXPECT_TRUE(caught.starts_with("piece ")) << caught;
    }
  }
}

TEST(ThreadPool, ServesOnAfterAnException) {
  ThreadPool pool(3);
  for (int round = 0; round < 100; ++round) {
    EXPECT_THROW(pool.ParallelFor(8, [](int64_t, int) { throw std::bad_alloc(); }), std::bad_alloc);
    std::atomic<int64_t> sum{0};
    pool.ParallelFor(100, [&](int64_t piece, int) { sum += piece; });
    EXPECT_EQ(sum, 4950);
  }
}

TEST(ThreadPool, BeginsNoPieceAfterOneThrew) {
  ThreadPool pool(2);
  std::atomic<int64_t> begun{0};
  const int64_t many = int64_t{1} << 40;  // nobody could wait for all of them
  EXPECT_THROW(pool.ParallelFor(many,
                                [&](int64_t piece, int) {
                                  ++begun;
                                  if (piece == 10) throw std::runtime_error("enough");
                                }),
               std::runtime_error);
  EXPECT_GE(begun, 11);
}

}  // namespace
}  // namespace bitwright::worker
