#include "workers/sensitivity/losses.h"

#include <gmock/gmock.h>

#include <cmath>

namespace bitwright::worker {
namespace {

using ::testing::DoubleEq;

constexpr int kMiddle = 3;

UnitSensitivity::Measurement Measured(int bits, double kl, double proxy) {
  return {{bits, 128}, kl, 0, proxy, AlphaOf(kl, proxy)};
}

UnitSensitivity Unit(std::vector<UnitSensitivity::Measurement> measurements) {
  UnitSensitivity unit;
  unit.unit = "unit";
  unit.measurements = std::move(measurements);
  for (int bits = 2; bits <= 8; ++bits) unit.formats.push_back({{bits, 128}, std::pow(4.0, -bits), 0, false});
  FillLosses(kMiddle, unit);
  return unit;
}

double LossAt(const UnitSensitivity& unit, int bits) { return unit.formats[static_cast<size_t>(bits - 2)].loss; }

TEST(Losses, FollowTheAlphaOfTheirWidthOrOfTheMiddleOne) {
  const UnitSensitivity unit = Unit({Measured(2, 0.9, 0.1), Measured(kMiddle, 0.02, 0.01)});
  EXPECT_THAT(LossAt(unit, 2), DoubleEq(9 * std::pow(4.0, -2)));
  EXPECT_THAT(LossAt(unit, 3), DoubleEq(2 * std::pow(4.0, -3)));
  EXPECT_THAT(LossAt(unit, 8), DoubleEq(2 * std::pow(4.0, -8)));
  EXPECT_TRUE(unit.formats[0].measured);
  EXPECT_TRUE(unit.formats[1].measured);
  EXPECT_FALSE(unit.formats[2].measured);
}

TEST(Losses, ARoundingThatChangesNothingSaysNothingOfOthers) {
  for (const double none : {0.0, -1e-12}) {
    const UnitSensitivity unit = Unit({Measured(2, 0.9, 0.1), Measured(kMiddle, 1e-9, none)});
    EXPECT_EQ(unit.measurements[1].alpha, 0);
    EXPECT_THAT(LossAt(unit, 4), DoubleEq(9 * std::pow(4.0, -4))) << "of the nearest width that was measured";
  }
}

TEST(Losses, OfAUnitOfWhichNothingIsKnownAreItsProxies) {
  const UnitSensitivity unit = Unit({Measured(2, 0, 0), Measured(kMiddle, 1e-9, -1e-12)});
  for (int bits = 2; bits <= 8; ++bits) EXPECT_THAT(LossAt(unit, bits), DoubleEq(std::pow(4.0, -bits)));
}

TEST(Losses, AreNeverBelowZero) {
  UnitSensitivity unit = Unit({Measured(kMiddle, 0.02, 0.01)});
  unit.formats[6].proxy = -1e-9;
  FillLosses(kMiddle, unit);
  EXPECT_EQ(LossAt(unit, 8), 0);
}

}  // namespace
}  // namespace bitwright::worker
