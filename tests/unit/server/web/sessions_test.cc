#include "server/web/sessions.h"

#include <gtest/gtest.h>

#include "tests/unit/server/support/fake_clock.h"

namespace bitwright::server {
namespace {

TEST(Sessions, EachHasATokenAndASecretOfItsOwn) {
  FakeClock clock;
  Sessions sessions(clock);
  const std::string alice = sessions.Open("a");
  const std::string bob = sessions.Open("b");
  EXPECT_EQ(sessions.Find(alice)->token, "a");
  EXPECT_NE(sessions.Find(alice)->csrf, sessions.Find(bob)->csrf);
  EXPECT_NE(sessions.Find(alice)->csrf, sessions.nobody().csrf);
  EXPECT_FALSE(sessions.Find("")) << "no cookie";
  sessions.Close(alice);
  EXPECT_FALSE(sessions.Find(alice));
  EXPECT_TRUE(sessions.Find(bob));
}

TEST(Sessions, OneThatNobodyUsesIsOver) {
  FakeClock clock;
  Sessions sessions(clock);
  const std::string id = sessions.Open("a");
  const double almost = absl::ToDoubleSeconds(Sessions::kIdle) - 1;
  clock.Advance(almost);
  EXPECT_TRUE(sessions.Find(id)) << "which is a use";
  clock.Advance(almost);
  EXPECT_TRUE(sessions.Find(id));
  clock.Advance(almost + 2);
  EXPECT_FALSE(sessions.Find(id));
}

TEST(Sessions, TheirNumberIsBounded) {
  FakeClock clock;
  Sessions sessions(clock);
  const std::string first = sessions.Open("first");
  std::string last;
  for (size_t i = 0; i < Sessions::kMost; ++i) {
    clock.Advance(0.001);
    last = sessions.Open("later");
  }
  EXPECT_FALSE(sessions.Find(first)) << "idle longest";
  EXPECT_TRUE(sessions.Find(last));
}

}  // namespace
}  // namespace bitwright::server
