#include "workers/sensitivity/losses.h"

#include <gmock/gmock.h>

namespace bitwright::worker {
namespace {

using ::testing::DoubleEq;

const LossCheck kChecks[] = {{3, 0.02, 0.01}, {2, 0.9, 0.5}, {2, 0.3, 0.1}, {3, 0.01, 0.01}};

TEST(Losses, ChecksOfOneWidthAreSummed) {
  const std::vector<WidthCheck> widths = SumByWidth(kChecks);
  ASSERT_EQ(widths.size(), 2);
  EXPECT_EQ(widths[0].bits, 2);
  EXPECT_EQ(widths[0].units, 2);
  EXPECT_THAT(widths[0].measured, DoubleEq(1.2));
  EXPECT_THAT(widths[0].predicted, DoubleEq(0.6));
  EXPECT_THAT(widths[1].Factor(), DoubleEq(1.5));
}

TEST(Losses, FollowTheFactorOfTheirWidthOrOfTheNearestOne) {
  const std::vector<WidthCheck> widths = SumByWidth(kChecks);
  EXPECT_THAT(FactorOf(2, widths), DoubleEq(2));
  EXPECT_THAT(FactorOf(3, widths), DoubleEq(1.5));
  EXPECT_THAT(FactorOf(8, widths), DoubleEq(1.5));
  const LossCheck apart[] = {{2, 3, 1}, {4, 5, 1}};
  EXPECT_THAT(FactorOf(3, SumByWidth(apart)), DoubleEq(5)) << "of two equally near widths the larger";
}

TEST(Losses, WhatIsNotAboveZeroSaysNothing) {
  for (const LossCheck none : {LossCheck{2, 0, 0.1}, {2, -1e-9, 0.1}, {2, 0.1, 0}, {2, 0.1, -1e-12}}) {
    const LossCheck checks[] = {none, {4, 2, 1}};
    EXPECT_THAT(FactorOf(2, SumByWidth(checks)), DoubleEq(2)) << none.measured << " " << none.predicted;
    EXPECT_THAT(FactorOf(2, SumByWidth(std::span(checks).first(1))), DoubleEq(1));
  }
  EXPECT_THAT(FactorOf(5, {}), DoubleEq(1));
}

}  // namespace
}  // namespace bitwright::worker
