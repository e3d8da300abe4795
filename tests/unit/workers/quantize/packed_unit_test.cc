#include "workers/quantize/packed_unit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/device_values.h"
#include "tests/support/fixtures.h"
#include "tests/support/sample_linear.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/quantize/factor_file.h"
#include "workers/quantize/unit_rounder.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker {
namespace {

// Rows past the last whole piece of 64; two super-blocks.
constexpr int64_t kOut = 70, kIn = 512;

class PackedUnitTest : public testing::Test {
 protected:
  PackedUnitTest() : pool_(2), device_(MakeCpuDevice(pool_)), sample_(kOut, kIn, 600, 3) {
    statistics_.columns = kIn;
    statistics_.second_moment = Buffer<float>(std::ssize(sample_.packed));
    std::ranges::copy(sample_.packed, statistics_.second_moment.data());
    for (float& weight : sample_.weights) weight = RoundToBf16(weight);
  }

  ThreadPool pool_;
  std::unique_ptr<Device> device_;
  SampleLinear sample_;
  InputStatistics statistics_;
};

// One of each kind of integers, and all others.
std::vector<Format> AllKinds() {
  std::vector<Format> all = {IntFormat{3, 64},
                             IntFormat{5, IntFormat::kChannel},
                             IntFormat{4, 32, true},
                             IntFormat{8, 128, true},
                             IntFormat{4, 128, false, true},
                             PlainFormat{},
                             IntFormat{8, 0, false, false, 8}};
  for (const BlockSpec& spec : BlockSpecs()) all.emplace_back(spec.type);
  for (const FloatSpec& spec : FloatSpecs()) all.emplace_back(spec.format);
  for (const char* name : {"nf4-g64", "nf4-channel", "kmeans2-g32", "kmeans3-g128", "kmeans4-channel"}) {
    all.push_back(*ParseFormat(name));
  }
  return all;
}

// What rounding says that a consumer decodes is what the file holds, in every bit, and the loss is that of pricing
// where the steps are the same.
TEST_F(PackedUnitTest, HoldsTheValuesOfEveryFormat) {
  const TempDir dir;
  const DeviceMatrix weights = OnDevice(*device_, sample_.weights, kOut);
  const LinearSpec linear{"linear", kOut, kIn};
  const UnitSpec unit{"unit", {linear}};
  for (const Format& format : AllKinds()) {
    for (const auto method : {RoundingOptions::Method::kGptq, RoundingOptions::Method::kRtn}) {
      SCOPED_TRACE(FormatName(format) + (method == RoundingOptions::Method::kRtn ? ", RTN" : ""));
      RoundingOptions options;
      options.method = method;
      options.on_grids = true;
      options.steps = options.priced_steps;
      options.storage_type = DType::kBF16;
      ASSERT_OK_AND_ASSIGN(const UnitRounder rounder, UnitRounder::Create(statistics_, options, *device_));
      QuantizedLinear quantized = rounder.Round(weights.view(), weights.view(), format);
      const std::vector<double> ones(kOut, 1.0);
      const std::vector<RoundingLoss> losses = rounder.Losses(weights.view(), weights.view(), {&format, 1}, ones);
      EXPECT_DOUBLE_EQ(losses.front().moment, quantized.loss());

      const std::string path = dir / FormatName(format);
      ASSERT_OK_AND_ASSIGN(PackedUnitsWriter writer, PackedUnitsWriter::Create(path, {{unit, format, DType::kBF16}}));
      ASSERT_THAT(writer.Append(linear, format, DType::kBF16, quantized), IsOk());
      ASSERT_THAT(writer.Close(), IsOk());
      ASSERT_OK_AND_ASSIGN(const PackedUnits packed, PackedUnits::Open({path}));
      const DeviceMatrix want(*device_, DType::kF32, kOut, kIn), got(*device_, DType::kF32, kOut, kIn);
      WriteValues(quantized, format, DType::kBF16, *device_, want.view());
      ASSERT_OK_AND_ASSIGN(const SiteFormat input, packed.Dequantize(unit, *device_, got.view()));
      EXPECT_EQ(input.bits, FormatName(format) == "int8-channel-a8" ? 8 : 0);
      EXPECT_EQ(Values(*device_, got.view()), Values(*device_, want.view()));
    }
  }
}

// As bitsandbytes quantizes: the largest |w| of a block, and of each weight the value of the table nearest to their
// quotient.
TEST_F(PackedUnitTest, Nf4WithoutSearchIsThatOfBitsandbytes) {
  RoundingOptions options;
  options.method = RoundingOptions::Method::kRtn;
  options.scales = ScaleMethod::kAbsMax;
  options.on_grids = true;
  BecomeIdentity(statistics_);  // no input is dead
  ASSERT_OK_AND_ASSIGN(const UnitRounder rounder, UnitRounder::Create(statistics_, options, *device_));
  const DeviceMatrix weights = OnDevice(*device_, sample_.weights, kOut);
  const QuantizedLinear quantized = rounder.Round(weights.view(), weights.view(), CodebookFormat{});
  const GridCodes& codes = std::get<CodebookRounded>(quantized.parts).codes;
  for (size_t i = 0; i < sample_.weights.size(); ++i) {
    const auto block = std::span(sample_.weights).subspan(i / 64 * 64, 64);
    float most = 0;
    for (const float w : block) most = std::max(most, std::abs(w));
    ASSERT_EQ(codes.scales[i / 64], most);
    const auto miss = [&](uint8_t code) { return std::abs(double{sample_.weights[i]} / most - kNf4Values[code]); };
    for (uint8_t code = 0; code < 16; ++code) EXPECT_LE(miss(codes.codes[i]), miss(code) + 1e-6) << i;
  }
}

// Errors are fed back through tables too, and more values lose less.
TEST_F(PackedUnitTest, FeedbackLowersTheLossOnTables) {
  const DeviceMatrix weights = OnDevice(*device_, sample_.weights, kOut);
  std::vector<double> fed;
  for (const char* name : {"nf4-g64", "kmeans4-g64", "kmeans3-g64", "kmeans2-g64", "kmeans4-channel"}) {
    SCOPED_TRACE(name);
    double losses[2];
    for (const bool gptq : {false, true}) {
      RoundingOptions options;
      options.method = gptq ? RoundingOptions::Method::kGptq : RoundingOptions::Method::kRtn;
      options.on_grids = true;
      ASSERT_OK_AND_ASSIGN(const UnitRounder rounder, UnitRounder::Create(statistics_, options, *device_));
      losses[gptq] = rounder.Round(weights.view(), weights.view(), *ParseFormat(name)).loss();
    }
    EXPECT_LT(losses[1], 0.9 * losses[0]);
    fed.push_back(losses[1]);
  }
  EXPECT_LT(fed[1], fed[2]);
  EXPECT_LT(fed[2], fed[3]);
}

}  // namespace
}  // namespace bitwright::worker
