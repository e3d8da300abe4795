#include "workers/sensitivity/check.h"

#include "tests/unit/workers/sensitivity/rounded_unit.h"
#include "workers/kernels/reference/reference_device.h"

namespace bitwright::worker {
namespace {

class Check : public RoundedUnits {
 protected:
  absl::StatusOr<std::vector<UnitCheck>> Run(int64_t begin, const std::vector<CheckedUnit>& units) {
    const DeviceMatrix reference = runner_->Embed(ids_), entering = runner_->Embed(ids_);
    ABSL_RETURN_IF_ERROR(runner_->RunBlocks(0, 2, reference.view()));
    model_->FinalNorm(*device_, reference.view());
    ABSL_RETURN_IF_ERROR(runner_->RunBlocks(0, begin, entering.view()));
    const CheckData data{ids_, entering.view(), reference.view()};
    return CheckUnits(*runner_, {*statistics_, *curvature_}, begin, units, data, options_, [](double) {});
  }

  // Logits of every token, in plain loops in f64, with one unit's weights replaced and its inputs rounded.
  std::vector<double> Logits(const std::string& replaced, const std::vector<float>& by, SiteFormat site = {}) {
    const auto plain = MakeReferenceDevice();
    BlockRunner runner(*model_, kWindow, Compute::kF32, *plain);
    const DeviceMatrix x = runner.Embed(ids_);
    const UnitSource source = [&](const UnitSpec& unit, const Matrix& weight) {
      if (unit.name == replaced) {
        plain->Write(by, weight);
      } else {
        model_->LoadUnit(unit, *plain, weight);
      }
      return unit.name == replaced ? site : SiteFormat();
    };
    EXPECT_THAT(runner.RunBlocks(0, 2, x.view(), source), IsOk());
    model_->FinalNorm(*plain, x.view());
    const std::vector<float> hidden = Values(*plain, x.view());
    const DeviceMatrix head(*plain, DType::kF32, 384, 64);
    model_->HeadRows(0, *plain, head.view());
    const std::vector<float> weights = Values(*plain, head.view());
    std::vector<double> logits(ids_.size() * 384);
    for (size_t t = 0; t < ids_.size(); ++t) {
      for (size_t v = 0; v < 384; ++v) {
        for (size_t i = 0; i < 64; ++i) logits[t * 384 + v] += double{hidden[t * 64 + i]} * weights[v * 64 + i];
      }
    }
    return logits;
  }

  // Mean KL divergence over all tokens but the last of each window.
  static double Divergence(std::vector<double> base, std::vector<double> other) {
    double sum = 0;
    int tokens = 0;
    for (size_t t = 0; t < base.size() / 384; ++t) {
      if ((t + 1) % kWindow == 0) continue;
      double norms[2] = {0, 0};
      for (size_t v = 0; v < 384; ++v) {
        norms[0] += std::exp(base[t * 384 + v]);
        norms[1] += std::exp(other[t * 384 + v]);
      }
      for (size_t v = 0; v < 384; ++v) {
        const double p = base[t * 384 + v] - std::log(norms[0]), q = other[t * 384 + v] - std::log(norms[1]);
        sum += std::exp(p) * (p - q);
      }
      ++tokens;
    }
    return sum / tokens;
  }
};

TEST_F(Check, MeasuresTheDivergenceOfTheModelWithOneUnitRounded) {
  // Two units of one block, one of the next.
  ASSERT_OK_AND_ASSIGN(const auto checks, Run(0, {{0, 0}, {0, 3}, {1, 2}}));
  const std::vector<UnitSpec> units = Units();
  const std::vector<double> base = Logits("", {});
  ASSERT_EQ(checks.size(), 3);
  for (const auto& [check, unit] :
       {std::pair{&checks[0], &units[0]}, {&checks[1], &units[3]}, {&checks[2], &units[6]}}) {
    EXPECT_EQ(check->unit, unit->name);
    ASSERT_EQ(check->measurements.size(), 2);
    for (const UnitCheck::Measurement& measurement : check->measurements) {
      const double expected =
          Divergence(base, Logits(unit->name, Rounded(*unit, measurement.format, options_.rounding)));
      EXPECT_NEAR(measurement.kl.value, expected, 1e-3 * expected)
          << unit->name << " " << FormatName(measurement.format);
      EXPECT_GT(measurement.kl.standard_error, 0);
    }
  }
}

TEST_F(Check, PredictsWhatAProfileDoes) {
  ASSERT_OK_AND_ASSIGN(const auto checks, Run(0, {{0, 0}, {1, 2}}));
  ASSERT_OK_AND_ASSIGN(const auto profiles,
                       ProfileBlocks(*model_, *device_, *statistics_, *curvature_, 0, 2, options_, [](double) {}));
  for (const auto& [check, profile] : {std::pair{&checks[0], &profiles[0]}, {&checks[1], &profiles[6]}}) {
    ASSERT_EQ(check->unit, profile->unit);
    for (const UnitCheck::Measurement& measurement : check->measurements) {
      const auto priced = std::ranges::find(profile->options, measurement.format, &UnitProfile::Option::format);
      ASSERT_NE(priced, profile->options.end());
      EXPECT_DOUBLE_EQ(measurement.predicted, priced->predicted) << FormatName(measurement.format);
      EXPECT_GT(measurement.predicted, 0);
    }
  }
}

TEST_F(Check, MeasuresWhatRoundingInputsCosts) {
  const IntFormat format{8, IntFormat::kChannel, false, false, 8};
  options_.formats = [format](const UnitSpec&) { return std::vector<Format>{format}; };
  options_.middle_bits = 8;
  options_.checked_bits = {};
  ASSERT_OK_AND_ASSIGN(const auto checks, Run(0, {{0, 0}, {0, 3}}));
  const std::vector<UnitSpec> units = Units();
  const std::vector<double> base = Logits("", {});
  ASSERT_EQ(checks.size(), 2);
  for (const auto& [check, unit] : {std::pair{&checks[0], &units[0]}, {&checks[1], &units[3]}}) {
    const std::vector<float> rounded = Rounded(*unit, format, options_.rounding);
    const double weights = Divergence(base, Logits(unit->name, rounded));
    const double both = Divergence(base, Logits(unit->name, rounded, format.Input()));
    ASSERT_EQ(check->measurements.size(), 1);
    // A token's largest number, where it is negative, is a tie of two codes: its last bit decides.
    EXPECT_NEAR(check->measurements[0].kl.value, both, 0.1 * both) << unit->name;
    EXPECT_GT(both, 1.2 * weights) << unit->name;
  }
}

TEST_F(Check, FromALaterBlockOnNothingChanges) {
  ASSERT_OK_AND_ASSIGN(const auto whole, Run(0, {{1, 1}}));
  ASSERT_OK_AND_ASSIGN(const auto later, Run(1, {{1, 1}}));
  EXPECT_EQ(later[0].measurements[0].kl.value, whole[0].measurements[0].kl.value);
}

TEST(CheckedFormats, AreTheNearestWidthsThatAreThere) {
  const std::vector<Format> formats = {IntFormat{3, 32}, IntFormat{3, 128}, IntFormat{4, 0}, IntFormat{4, 64},
                                       IntFormat{8, 0}};
  const auto checked = [&](int middle, std::vector<int> more) {
    ProfileOptions options;
    options.middle_bits = middle;
    options.checked_bits = std::move(more);
    return CheckedFormats(options, formats);
  };
  EXPECT_EQ(checked(3, {2}), (std::vector<Format>{IntFormat{3, 128}})) << "once, though two widths asked for it";
  EXPECT_EQ(checked(6, {4}), (std::vector<Format>{IntFormat{4, 64}, IntFormat{8, 0}}))
      << "of two equally near the larger";
}

}  // namespace
}  // namespace bitwright::worker
