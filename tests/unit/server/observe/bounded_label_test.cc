#include "server/observe/bounded_label.h"

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

TEST(BoundedLabel, LetsWordsThroughUntilThereAreTooMany) {
  BoundedLabel label(2);
  EXPECT_EQ(label.Bound("cpu-avx512"), "cpu-avx512");
  EXPECT_EQ(label.Bound("OUT_OF_MEMORY"), "OUT_OF_MEMORY");
  EXPECT_EQ(label.Bound("third"), "other");
  EXPECT_EQ(label.Bound("cpu-avx512"), "cpu-avx512") << "what is known stays";
}

TEST(BoundedLabel, TakesNothingButWords) {
  BoundedLabel label(100);
  EXPECT_EQ(label.Bound(""), "other");
  EXPECT_EQ(label.Bound("two words"), "other");
  EXPECT_EQ(label.Bound("a\"} 1"), "other");
  EXPECT_EQ(label.Bound(std::string(64, 'a')), std::string(64, 'a'));
  EXPECT_EQ(label.Bound(std::string(65, 'a')), "other");
}

}  // namespace
}  // namespace bitwright::server
