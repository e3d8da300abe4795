#include "workers/quantize/packed_unit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/device_values.h"
#include "tests/support/fixtures.h"
#include "tests/support/sample_linear.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/cpu_device.h"
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

}  // namespace
}  // namespace bitwright::worker
