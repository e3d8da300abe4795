#include "workers/tasks/linear_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "workers/targets/format_messages.h"

namespace bitwright::worker {
namespace {

using ::testing::ElementsAre;

struct Price {
  int64_t bytes = 0;
  double loss = 0;
};

// A unit of linears that cost so much in each of these types.
v1::Sensitivity::Unit UnitOf(const std::vector<std::pair<BlockType, std::vector<Price>>>& options) {
  v1::Sensitivity::Unit unit;
  unit.set_name("qkv");
  for (const auto& [type, prices] : options) {
    v1::FormatOption& option = *unit.add_options();
    *option.mutable_format() = ToProto(Format(type));
    for (const Price& price : prices) {
      v1::FormatOption::LinearPrice& linear = *option.add_linears();
      linear.set_bytes(price.bytes);
      linear.set_loss(price.loss);
      option.set_bytes(option.bytes() + price.bytes);
      option.set_loss(option.loss() + price.loss);
    }
  }
  return unit;
}

std::vector<std::string> Names(const v1::Sensitivity::Unit& unit) {
  std::vector<std::string> names;
  for (const v1::FormatOption& option : unit.options()) names.push_back(NameOf(option.format()));
  return names;
}

// The second linear gains more by every byte: it is widened first.
TEST(LinearOptionsTest, AddsTheConvexFrontOfAllCombinations) {
  v1::Sensitivity::Unit unit =
      UnitOf({{BlockType::kQ4_K, {{40, 4.0}, {10, 8.0}}}, {BlockType::kQ6_K, {{60, 1.0}, {15, 2.0}}}});
  ASSERT_THAT(AddOptionsOfLinears(unit), IsOk());
  EXPECT_THAT(Names(unit), ElementsAre("Q4_K", "Q6_K", "Q4_K+Q6_K"));
  EXPECT_EQ(unit.options(2).bytes(), 55);
  EXPECT_DOUBLE_EQ(unit.options(2).loss(), 6.0);
}

TEST(LinearOptionsTest, SharesOfACorrectedLossStay) {
  v1::Sensitivity::Unit unit =
      UnitOf({{BlockType::kQ4_K, {{40, 4.0}, {10, 8.0}}}, {BlockType::kQ6_K, {{60, 1.0}, {15, 2.0}}}});
  unit.mutable_options(0)->set_loss(6.0);  // half of what was predicted, of both
  unit.mutable_options(1)->set_loss(1.5);
  ASSERT_THAT(AddOptionsOfLinears(unit), IsOk());
  EXPECT_THAT(Names(unit), ElementsAre("Q4_K", "Q6_K", "Q4_K+Q6_K"));
  EXPECT_DOUBLE_EQ(unit.options(2).loss(), 2.0 + 1.0);
}

TEST(LinearOptionsTest, LeavesUnitsAloneWhoseLinearsMayNotDiffer) {
  v1::Sensitivity::Unit unit = UnitOf({{BlockType::kQ4_K, {}}, {BlockType::kQ6_K, {}}});
  ASSERT_THAT(AddOptionsOfLinears(unit), IsOk());
  EXPECT_THAT(Names(unit), ElementsAre("Q4_K", "Q6_K"));
}

TEST(LinearOptionsTest, RefusesPricesThatAreNotThereForAll) {
  v1::Sensitivity::Unit unit = UnitOf({{BlockType::kQ4_K, {{40, 4.0}, {10, 8.0}}}, {BlockType::kQ6_K, {{60, 1.0}}}});
  EXPECT_THAT(AddOptionsOfLinears(unit), HasReason("TASK_INPUT_DAMAGED"));
}

}  // namespace
}  // namespace bitwright::worker
