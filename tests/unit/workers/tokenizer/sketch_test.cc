#include "workers/tokenizer/sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace bitwright::worker {
namespace {

std::vector<int32_t> RandomIds(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<int32_t> ids(count);
  for (int32_t& id : ids) id = static_cast<int32_t>(random() % 1000);
  return ids;
}

double Shared(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  std::vector<uint64_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return static_cast<double>(both.size()) / static_cast<double>(std::min(a.size(), b.size()));
}

TEST(Sketch, IsRisingAndBounded) {
  const auto sketch = SketchOf(RandomIds(5000, 1), 16, 256);
  EXPECT_EQ(sketch.size(), 256u);
  EXPECT_TRUE(std::is_sorted(sketch.begin(), sketch.end()));
  EXPECT_EQ(SketchOf(RandomIds(16, 1), 16, 256).size(), 1u);
  EXPECT_TRUE(SketchOf(RandomIds(15, 1), 16, 256).empty());
  EXPECT_EQ(SketchOf(std::vector<int32_t>(100, 7), 16, 256).size(), 1u);  // one run, again and again
}

TEST(Sketch, TellsHowMuchTwoTextsShare) {
  const auto text = RandomIds(20000, 1);
  EXPECT_EQ(Shared(SketchOf(text, 16, 256), SketchOf(text, 16, 256)), 1);
  EXPECT_EQ(Shared(SketchOf(text, 16, 256), SketchOf(RandomIds(20000, 2), 16, 256)), 0);
  // Half of the other text is the middle of this one, at another offset.
  auto half = RandomIds(10000, 3);
  half.insert(half.end(), text.begin() + 3001, text.begin() + 13001);
  EXPECT_NEAR(Shared(SketchOf(text, 16, 256), SketchOf(half, 16, 256)), 0.35, 0.2);
}

TEST(Sketch, DependsOnTheOrderOfIds) {
  std::vector<int32_t> ids = RandomIds(16, 1);
  const auto sketch = SketchOf(ids, 16, 256);
  std::swap(ids[3], ids[4]);
  EXPECT_NE(SketchOf(ids, 16, 256), sketch);
}

}  // namespace
}  // namespace bitwright::worker
