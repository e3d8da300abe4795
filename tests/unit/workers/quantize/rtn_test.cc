#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "tests/support/sample_linear.h"
#include "tests/unit/workers/quantize/cpu_rounder.h"

namespace bitwright::worker {
namespace {

// Codes and scales as compressed-tensors computes them, division in the weight's dtype.
void CheckFile(const std::string& path, const std::string& file) {
  SCOPED_TRACE(file);
  const FixtureTensors tensors = ReadFixture(path + "/" + file + ".safetensors");
  const FixtureTensor& weight = Find(tensors, "in.weight");
  const bool channel = file.find("channel") != std::string::npos;
  const IntFormat format{file[3] - '0', channel ? 0 : std::stoi(file.substr(file.find("-g") + 2))};
  const DType type = *ParseDType(weight.dtype);
  const RoundedLinear rounded =
      CpuRounder(1).Nearest(weight.ToFloat(), weight.shape[0], format, {.quotient_type = type}, type);
  EXPECT_EQ(rounded.codes, Find(tensors, "codes").As<int8_t>());
  EXPECT_EQ(rounded.scales, Find(tensors, "out.weight_scale").ToFloat());
}

TEST(RtnTest, EqualsCompressedTensors) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (int bits = 2; bits <= 8; ++bits) {
    for (const char* rest : {"g32-f32", "g128-f32", "channel-f32", "g32-bf16", "g32-f16"}) {
      if (std::string(rest).ends_with("16") && bits != 4 && bits != 8) continue;  // the reference has no such file
      CheckFile(*shared + "/fixtures/packing/compressed-tensors", "int" + std::to_string(bits) + "-sym-" + rest);
    }
  }
}

TEST(RtnTest, EqualsTheCopiesBesideTheTests) {
  for (const char* file : {"int3-sym-channel-f32", "int5-sym-channel-f32", "int4-sym-g32-bf16", "int8-sym-g32-f16"}) {
    CheckFile(SourcePath("tests/golden/formats"), file);
  }
}

double WeightedError(const SampleLinear& s, IntFormat format, const std::vector<float>& h, const RoundedLinear& rounded,
                     CpuRounder& cpu) {
  const std::vector<float> values = cpu.Dequantized(rounded, s.out, format);
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double e = values[i] - s.weights[i];
    sum += e * e * h[i % static_cast<size_t>(s.in)];
  }
  return sum;
}

TEST(RtnTest, SearchedScalesAreNeverWorse) {
  CpuRounder cpu;
  const SampleLinear sample(40, 128, 50, 10);
  std::vector<float> h(128);
  for (int64_t j = 0; j < 128; ++j) h[j] = sample.moment[j * 128 + j];
  for (const IntFormat format : AllowedIntFormats(128)) {
    const auto error = [&](ScaleMethod method) {
      return WeightedError(sample, format, h,
                           cpu.Nearest(sample.weights, sample.out, format, {.scales = method}, DType::kF32, h), cpu);
    };
    const double searched = error(ScaleMethod::kSearched), absmax = error(ScaleMethod::kAbsMax);
    EXPECT_LE(searched, absmax * 1.0001) << FormatName(format);
    if (format.bits > 3) continue;
    EXPECT_LT(searched, 0.9 * absmax) << FormatName(format);
  }
}

// With one code more on the negative side, a group whose largest weights are positive is stored with a negative scale.
TEST(RtnTest, ASearchedScaleTakesTheSignThatLeavesTheSmallerError) {
  constexpr int64_t kIn = 32;
  CpuRounder cpu(1);
  for (const float sign : {1.0f, -1.0f}) {
    // Exactly on a grid of −2, −1, 0 and 1 times a step; for the positive one only with the sign turned.
    std::vector<float> weights(kIn);
    for (int64_t i = 0; i < kIn; ++i) weights[static_cast<size_t>(i)] = sign * 0.25f * static_cast<float>(i % 4 - 1);
    const RoundedLinear rounded = cpu.Nearest(weights, 1, {2, 32}, {.scales = ScaleMethod::kSearched});
    EXPECT_LT(sign * rounded.scales[0], 0) << sign;
    const std::vector<float> values = cpu.Dequantized(rounded, 1, {2, 32});
    double error = 0;
    for (size_t i = 0; i < values.size(); ++i) error += std::pow(double{values[i]} - weights[i], 2);
    EXPECT_LT(error / kIn, 0.002) << sign << ": 0.25 off at every fourth weight would be 0.016";
  }
}

}  // namespace
}  // namespace bitwright::worker
