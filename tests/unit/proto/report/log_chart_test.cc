#include "proto/report/log_chart.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Ticks, AreRoundNumbersWithinTheAxis) {
  EXPECT_THAT(LinearTicks(0.3, 10.2, 5), ElementsAre(DoubleEq(2), DoubleEq(4), DoubleEq(6), DoubleEq(8), DoubleEq(10)));
  EXPECT_THAT(LogTicks(0.009, 0.13), ElementsAre(DoubleEq(0.01), DoubleEq(0.02), DoubleEq(0.05), DoubleEq(0.1)));
  EXPECT_THAT(LogTicks(0.031, 0.058), ElementsAre(DoubleEq(0.04), DoubleEq(0.05)));
  EXPECT_THAT(LogTicks(0.5, 2e5), ElementsAre(1, 10, 100, 1000, 10000, 100000)) << "no more of many";
  EXPECT_THAT(LinearTicks(3, 3, 5), ElementsAre());
  EXPECT_THAT(LogTicks(0, 1), ElementsAre());
}

TEST(LogChart, OfNothingThatCanBeShownIsEmpty) {
  EXPECT_EQ(Draw({}), "");
  EXPECT_EQ(Draw({.points = {{1, 0, 0, "no loss", "mixed"}}}), "") << "0 has no logarithm";
}

TEST(LogChart, DrawsPointsWithTheirErrorsAndOneLine) {
  LogChart chart{.label = "Loss & size", .x_title = "MB", .y_title = "nats"};
  chart.line = {{1, 0.5}, {2, 0.1}, {3, 0}};
  chart.points = {{1.5, 0.2, 0.01, "mixed<b>", "selected"}, {2.5, 0.05, 0, "uniform", "uniform"}};
  const std::string svg = Draw(chart);
  EXPECT_THAT(svg, HasSubstr("aria-label=\"Loss &amp; size\""));
  EXPECT_THAT(svg, HasSubstr("class=\"error selected\""));
  EXPECT_THAT(svg, Not(HasSubstr("class=\"error uniform\""))) << "nothing is known of its error";
  EXPECT_THAT(svg, HasSubstr("<title>mixed&lt;b&gt;: 0.2 ± 0.01 at 1.5</title>"));
  const auto from = svg.find("points=\"") + 8;
  const std::string line = svg.substr(from, svg.find('"', from) - from);
  EXPECT_EQ(std::count(line.begin(), line.end(), ','), 2) << "the third has no logarithm: " << line;
}

TEST(LogChart, NamesDoNotCoverEachOther) {
  LogChart chart;
  chart.points = {{1, 0.1, 0, "one", "m"}, {1, 0.1, 0, "two", "m"}, {9, 0.5, 0, "far", "m"}};
  const std::string svg = Draw(chart);
  std::set<std::string> heights;
  for (const char* name : {">one<", ">two<"}) {
    const size_t end = svg.find(name), begin = svg.rfind(" y=\"", end);
    ASSERT_NE(end, std::string::npos);
    heights.insert(svg.substr(begin + 4, svg.find('"', begin + 4) - begin - 4));
  }
  EXPECT_EQ(heights.size(), 2);
}

// Twice as far down is half the loss, wherever on the axis.
TEST(LogChart, EqualRatiosAreEqualDistances) {
  LogChart chart;
  chart.points = {{1, 0.4, 0, "a", "m"}, {2, 0.2, 0, "b", "m"}, {3, 0.1, 0, "c", "m"}};
  const std::string svg = Draw(chart);
  std::vector<double> heights;
  for (size_t at = svg.find("cy=\""); at != std::string::npos; at = svg.find("cy=\"", at + 1)) {
    heights.push_back(std::strtod(svg.c_str() + at + 4, nullptr));
  }
  ASSERT_EQ(heights.size(), 3);
  EXPECT_GT(heights[1], heights[0]);
  EXPECT_NEAR(heights[1] - heights[0], heights[2] - heights[1], 0.02);
}

}  // namespace
}  // namespace bitwright
