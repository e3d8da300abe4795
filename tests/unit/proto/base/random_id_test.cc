#include "proto/base/random_id.h"

#include <gtest/gtest.h>

#include <set>

namespace bitwright {
namespace {

TEST(RandomId, IsHexadecimalOfTheAskedLengthAndDiffers) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = RandomId();
    EXPECT_EQ(id.size(), 16u);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_EQ(RandomId(32).size(), 32u);
}

}  // namespace
}  // namespace bitwright
