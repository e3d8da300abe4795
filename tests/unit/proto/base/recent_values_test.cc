#include "proto/base/recent_values.h"

#include <gtest/gtest.h>

namespace bitwright {
namespace {

TEST(RecentValues, TheOneThatWasNotUsedForLongestGoes) {
  RecentValues<int> values(2);
  values.Keep("a", 1);
  values.Keep("b", 2);
  EXPECT_EQ(values.Find("a"), 1);  // a use
  values.Keep("c", 3);
  EXPECT_EQ(values.Find("b"), std::nullopt);
  EXPECT_EQ(values.Find("a"), 1);
  EXPECT_EQ(values.Find("c"), 3);
}

TEST(RecentValues, TheFirstOfAKeyStays) {
  RecentValues<int> values(2);
  values.Keep("a", 1);
  values.Keep("a", 2);
  EXPECT_EQ(values.Find("a"), 1);
}

}  // namespace
}  // namespace bitwright
