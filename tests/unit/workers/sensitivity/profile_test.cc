#include "workers/sensitivity/profile.h"

#include "tests/unit/workers/sensitivity/rounded_unit.h"

namespace bitwright::worker {
namespace {

class Profile : public RoundedUnits {
 protected:
  absl::StatusOr<std::vector<UnitProfile>> Run(int64_t begin, int64_t end) {
    return ProfileBlocks(*model_, *device_, *statistics_, *curvature_, begin, end, options_, [](double) {});
  }

  // The definitions, by plain loops in f64 over what a consumer would see.
  void ExpectPrices(const std::vector<UnitProfile>& profiles, const RoundingOptions& rounding) {
    const std::vector<UnitSpec> units = Units();
    ASSERT_EQ(profiles.size(), units.size());
    for (size_t u = 0; u < units.size(); ++u) {
      const UnitSpec& unit = units[u];
      ASSERT_EQ(profiles[u].unit, unit.name);
      EXPECT_TRUE(profiles[u].unreached.empty());
      ASSERT_OK_AND_ASSIGN(const InputStatistics input, statistics_->Read(unit.name));
      const Buffer<float> h = input.Full();
      const std::vector<float> original = Original(unit);
      ASSERT_OK_AND_ASSIGN(const std::vector<double> rows, curvature_->Rows(unit.name, unit.out()));
      const int64_t in = unit.in();
      ASSERT_EQ(profiles[u].options.size(), 4);
      for (const UnitProfile::Option& option : profiles[u].options) {
        const std::vector<float> rounded = Rounded(unit, option.format, rounding);
        double proxy = 0, predicted = 0;
        for (int64_t r = 0; r < unit.out(); ++r) {
          double loss = 0;
          for (int64_t i = 0; i < in; ++i) {
            for (int64_t j = 0; j < in; ++j) {
              const double left = double{original[r * in + i]} - rounded[r * in + i];
              const double right = double{original[r * in + j]} - rounded[r * in + j];
              loss += left * h[i * in + j] * right;
            }
          }
          proxy += loss;
          predicted += 0.5 * rows[static_cast<size_t>(r)] * loss;
        }
        EXPECT_NEAR(option.proxy, proxy, 2e-4 * proxy) << unit.name << " " << FormatName(option.format);
        EXPECT_NEAR(option.predicted, predicted, 2e-4 * predicted) << unit.name << " " << FormatName(option.format);
        EXPECT_GT(predicted, 0);
      }
    }
  }
};

TEST_F(Profile, PricesAreHalfTheTraceOfGAndTheErrorsMoment) {
  ASSERT_OK_AND_ASSIGN(const auto profiles, Run(0, 2));
  ExpectPrices(profiles, options_.rounding);
}

TEST_F(Profile, PricesOfPlainRoundingAreTheSame) {
  options_.rounding.method = RoundingOptions::Method::kRtn;
  options_.rounding.scales = ScaleMethod::kAbsMax;
  ASSERT_OK_AND_ASSIGN(const auto profiles, Run(0, 2));
  ExpectPrices(profiles, options_.rounding);
}

TEST_F(Profile, ARangeOfBlocksIsThatPartOfTheWhole) {
  ASSERT_OK_AND_ASSIGN(const auto whole, Run(0, 2));
  ASSERT_OK_AND_ASSIGN(const auto second, Run(1, 2));
  ASSERT_EQ(second.size(), 4);
  for (size_t u = 0; u < second.size(); ++u) {
    EXPECT_EQ(second[u].unit, whole[4 + u].unit);
    EXPECT_EQ(second[u].options[0].predicted, whole[4 + u].options[0].predicted);
  }
}

}  // namespace
}  // namespace bitwright::worker
