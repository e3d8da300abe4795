#include "server/blobs/piece_hasher.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "proto/contract/digest.h"

namespace bitwright::server {
namespace {

Piece Copy(const std::string& text) {
  const auto copy = std::make_shared<const std::string>(text);
  return {
      .parts = {std::string_view(*copy).substr(0, text.size() / 2), std::string_view(*copy).substr(text.size() / 2)},
      .owner = copy};
}

TEST(PieceHasher, WithoutAnExecutorHashesAtOnce) {
  PieceHasher hasher;
  hasher.Add(Copy("one "));
  hasher.Add(Copy("two"));
  EXPECT_EQ(hasher.Finish(), Sha256Hex("one two"));
}

TEST(PieceHasher, NeverWaitsForAThreadThatIsNotThere) {
  std::deque<std::function<void()>> posted;
  std::string all;
  {
    PieceHasher hasher;
    hasher.HashOn([&](std::function<void()> step) { posted.push_back(std::move(step)); });
    for (int i = 0; i < 100; ++i) {
      all += std::to_string(i);
      hasher.Add(Copy(std::to_string(i)));
    }
    EXPECT_EQ(hasher.Finish(), Sha256Hex(all));
  }
  EXPECT_FALSE(posted.empty());
  for (const auto& step : posted) step();  // too late, and harmless
}

TEST(PieceHasher, HoldsFewPiecesAndLetsThemGo) {
  std::vector<std::weak_ptr<const void>> owners;
  PieceHasher hasher;
  hasher.HashOn([](const std::function<void()>&) {});
  for (int i = 0; i < 100; ++i) {
    Piece piece = Copy("piece");
    owners.push_back(piece.owner);
    hasher.Add(std::move(piece));
    int held = 0;
    for (const auto& owner : owners) held += owner.expired() ? 0 : 1;
    EXPECT_LE(held, PieceHasher::kMostAhead);
  }
}

TEST(PieceHasher, KeepsOrderOnOtherThreads) {
  std::vector<std::thread> threads;
  absl::Mutex mutex;
  std::string all;
  {
    PieceHasher hasher;
    hasher.HashOn([&](std::function<void()> step) {
      absl::MutexLock lock(&mutex);
      threads.emplace_back(std::move(step));
    });
    for (int i = 0; i < 200; ++i) {
      const std::string text(1000 + i, static_cast<char>('a' + i % 26));
      all += text;
      hasher.Add(Copy(text));
    }
    EXPECT_EQ(hasher.Finish(), Sha256Hex(all));
  }
  while (true) {
    std::thread thread;
    {
      absl::MutexLock lock(&mutex);
      if (threads.empty()) return;
      thread = std::move(threads.back());
      threads.pop_back();
    }
    thread.join();
  }
}

}  // namespace
}  // namespace bitwright::server
