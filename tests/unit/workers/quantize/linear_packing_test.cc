#include "workers/quantize/linear_packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/device_values.h"
#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/quantize/factor_file.h"
#include "workers/quantize/unit_rounder.h"

namespace bitwright::worker {
namespace {

// Rounds every weight by itself, all inputs counting alike.
absl::StatusOr<UnitRounder> ToNearest(int64_t in, ScaleMethod scales, Device& device) {
  InputStatistics statistics;
  statistics.columns = in;
  statistics.second_moment = Buffer<float>(PackedTriangleSize(in));
  BecomeIdentity(statistics);
  RoundingOptions options;
  options.method = RoundingOptions::Method::kRtn;
  options.scales = scales;
  options.on_grids = true;
  return UnitRounder::Create(statistics, options, device);
}

struct Fixture {
  const char* file;  // without what follows the type of the weights
  Format format;
};

constexpr IntFormat kInt8Channel8{8, IntFormat::kChannel, false, false, 8};

const Fixture kFixtures[] = {
    {"int4-asym-g32-f32", IntFormat{4, 32, true}},   {"int4-asym-g128-f32", IntFormat{4, 128, true}},
    {"int4-asym-g32-bf16", IntFormat{4, 32, true}},  {"int8-asym-g32-f32", IntFormat{8, 32, true}},
    {"int8-asym-g128-f32", IntFormat{8, 128, true}}, {"mxfp4-g32-f32", FloatFormat::kMxfp4},
    {"mxfp4-g32-bf16", FloatFormat::kMxfp4},         {"nvfp4-g16-f32", FloatFormat::kNvfp4},
    {"nvfp4-g16-bf16", FloatFormat::kNvfp4},         {"mxfp6-g32-f32", FloatFormat::kMxfp6},
    {"mxfp6-g32-bf16", FloatFormat::kMxfp6},         {"mxfp8-g32-f32", FloatFormat::kMxfp8},
    {"mxfp8-g32-bf16", FloatFormat::kMxfp8},         {"fp8-tensor-f32", FloatFormat::kFp8Tensor},
    {"fp8-tensor-bf16", FloatFormat::kFp8Tensor},    {"fp8-channel-f32", FloatFormat::kFp8Channel},
    {"fp8-channel-bf16", FloatFormat::kFp8Channel},  {"fp8-block128-f32", FloatFormat::kFp8Block},
    {"fp8-block128-bf16", FloatFormat::kFp8Block},   {"int8-plain-channel-f32", kInt8Channel8},
    {"int8-plain-channel-bf16", kInt8Channel8},
};

// The tensors that compressed-tensors wrote, under the names of a linear "linear".
std::string AsUnits(const TempDir& dir, const FixtureTensors& tensors) {
  std::vector<TensorDeclaration> declared;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("out."))
      declared.push_back({"linear" + name.substr(3), *ParseDType(tensor.dtype), tensor.shape});
  }
  const std::string path = dir / "units";
  auto writer = SafetensorsWriter::Create(path, declared, {});
  EXPECT_THAT(writer, IsOk());
  for (const auto& [name, tensor] : tensors) {
    if (!name.starts_with("out.")) continue;
    EXPECT_THAT(writer->Append(tensor.bytes.data(), tensor.bytes.size()), IsOk());
  }
  EXPECT_THAT(writer->Close(), IsOk());
  return path;
}

void CheckDecoding(const std::string& folder, const Fixture& fixture) {
  SCOPED_TRACE(fixture.file);
  const TempDir dir;
  const FixtureTensors tensors = ReadFixture(folder + "/" + fixture.file + ".safetensors");
  const FixtureTensor& want = Find(tensors, "dequantized");
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(AsUnits(dir, tensors), "units"));
  ASSERT_OK_AND_ASSIGN(const PackedLinear packed,
                       PackedLinear::Find({"linear", want.shape[0], want.shape[1]}, fixture.format, file));
  std::vector<float> values(static_cast<size_t>(want.elements()));
  packed.Decode(0, values);
  EXPECT_EQ(values, want.ToFloat());
  // And from the middle on.
  std::vector<float> row(static_cast<size_t>(want.shape[1]));
  packed.Decode(want.shape[0] - 1, row);
  EXPECT_TRUE(std::equal(row.begin(), row.end(), values.end() - want.shape[1]));

  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("out.") && name != "out.weight_shape") bytes += std::ssize(tensor.bytes);
  }
  const DType type = *ParseDType(Find(tensors, "in.weight").dtype);
  EXPECT_EQ(CodedBytes(fixture.format, want.shape[0], want.shape[1], type), bytes);
}

TEST(LinearPackingTest, DecodesWhatCompressedTensorsWrote) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const Fixture& fixture : kFixtures) CheckDecoding(*shared + "/fixtures/packing/compressed-tensors", fixture);
}

TEST(LinearPackingTest, DecodesTheCopiesBesideTheTests) {
  for (const Fixture& fixture : kFixtures) {
    const std::string name = fixture.file;
    if (name == "fp8-channel-bf16" || name == "nvfp4-g16-bf16" || name == "mxfp6-g32-bf16" ||
        name == "int4-asym-g32-bf16" || name == "int8-plain-channel-bf16") {
      CheckDecoding(SourcePath("tests/golden/formats"), fixture);
    }
  }
}

// Where scales follow from the largest weights and no error is fed back there is one right answer.
TEST(LinearPackingTest, PacksFp8ByteForByteAsCompressedTensors) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  ThreadPool pool(2);
  const auto device = MakeCpuDevice(pool);
  for (const Fixture& fixture : kFixtures) {
    const std::string name = fixture.file;
    if (!name.starts_with("fp8") || !name.ends_with("f32") || name.ends_with("bf16")) continue;
    SCOPED_TRACE(name);
    const FixtureTensors tensors =
        ReadFixture(*shared + "/fixtures/packing/compressed-tensors/" + name + ".safetensors");
    const FixtureTensor& weight = Find(tensors, "in.weight");
    const LinearSpec linear{"linear", weight.shape[0], weight.shape[1]};
    ASSERT_OK_AND_ASSIGN(const UnitRounder rounder, ToNearest(linear.in, RoundingOptions().scales, *device));
    const DeviceMatrix weights = OnDevice(*device, weight.ToFloat(), linear.out);
    QuantizedLinear quantized = rounder.Round(weights.view(), weights.view(), fixture.format);
    const auto packed = PackLinear(linear, fixture.format, DType::kF32, quantized);
    ASSERT_EQ(packed.size(), 2u);
    const auto same = [](const std::vector<std::byte>& bytes, const FixtureTensor& tensor) {
      return std::ranges::equal(bytes, std::as_bytes(std::span(tensor.bytes)));
    };
    EXPECT_TRUE(same(packed[1], Find(tensors, "out.weight_scale")));
    // −0 is stored as 0.
    std::string codes = Find(tensors, "out.weight").bytes;
    for (char& code : codes) code = code == '\x80' ? '\0' : code;
    EXPECT_TRUE(std::ranges::equal(packed[0], std::as_bytes(std::span(codes))));
  }
}

bool SameBytes(const std::vector<std::byte>& bytes, const FixtureTensor& tensor) {
  return std::ranges::equal(bytes, std::as_bytes(std::span(tensor.bytes)));
}

void CheckPlainIntegers(const std::string& path) {
  SCOPED_TRACE(path);
  const FixtureTensors tensors = ReadFixture(path);
  const FixtureTensor& weight = Find(tensors, "in.weight");
  const LinearSpec linear{"linear", weight.shape[0], weight.shape[1]};
  RoundedLinear rounded;
  rounded.codes = Find(tensors, "codes").As<int8_t>();
  rounded.scales = Find(tensors, "out.weight_scale").ToFloat();
  QuantizedLinear quantized{std::move(rounded)};
  const auto packed = PackLinear(linear, kInt8Channel8, *ParseDType(weight.dtype), quantized);
  ASSERT_EQ(packed.size(), 2u);
  EXPECT_TRUE(SameBytes(packed[0], Find(tensors, "out.weight")));
  EXPECT_TRUE(SameBytes(packed[1], Find(tensors, "out.weight_scale")));
}

TEST(LinearPackingTest, PacksInt8ByteForByteAsCompressedTensors) {
  CheckPlainIntegers(SourcePath("tests/golden/formats") + "/int8-plain-channel-bf16.safetensors");
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  const std::string folder = *shared + "/fixtures/packing/compressed-tensors";
  for (const char* type : {"f32", "bf16"}) CheckPlainIntegers(folder + "/int8-plain-channel-" + type + ".safetensors");
}

// What bitsandbytes 0.50 makes of weights f32 [24, 128] in blocks of 64, one of them all zero: of that one it keeps a
// scale of 0, where ours is epsilon.
TEST(LinearPackingTest, PacksNf4ByteForByteAsBitsandbytes) {
  const FixtureTensors tensors = ReadFixture(SourcePath("tests/golden/formats/nf4-g64-f32.safetensors"));
  const FixtureTensor& weight = Find(tensors, "in.weight");
  const LinearSpec linear{"linear", weight.shape[0], weight.shape[1]};
  EXPECT_TRUE(std::ranges::equal(Find(tensors, "out.code").ToFloat(), kNf4Values));
  ThreadPool pool(2);
  const auto device = MakeCpuDevice(pool);
  ASSERT_OK_AND_ASSIGN(const UnitRounder rounder, ToNearest(linear.in, ScaleMethod::kAbsMax, *device));
  const DeviceMatrix weights = OnDevice(*device, weight.ToFloat(), linear.out),
                     values = OnDevice(*device, weight.ToFloat(), linear.out);
  const Format format = CodebookFormat{};
  QuantizedLinear quantized = rounder.Round(weights.view(), weights.view(), format);
  const auto packed = PackLinear(linear, format, DType::kF32, quantized);
  ASSERT_EQ(packed.size(), 2u);
  EXPECT_TRUE(SameBytes(packed[0], Find(tensors, "out.weight")));
  std::vector<float> scales = std::get<CodebookRounded>(quantized.parts).codes.scales;
  for (float& scale : scales) scale = scale == 0x1p-23f ? 0 : scale;
  EXPECT_EQ(scales, Find(tensors, "out.absmax").ToFloat());
  WriteValues(quantized, format, DType::kF32, *device, values.view());
  EXPECT_EQ(Values(*device, values.view()), Find(tensors, "dequantized").ToFloat());
}

TEST(LinearPackingTest, RefusesAnotherShapeOrType) {
  const TempDir dir;
  const FixtureTensors tensors = ReadFixture(SourcePath("tests/golden/formats") + "/nvfp4-g16-bf16.safetensors");
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(AsUnits(dir, tensors), "units"));
  const LinearSpec linear{"linear", 24, 128};
  ASSERT_THAT(PackedLinear::Find(linear, FloatFormat::kNvfp4, file), IsOk());
  EXPECT_THAT(PackedLinear::Find({"linear", 24, 64}, FloatFormat::kNvfp4, file), testing::Not(IsOk()));
  EXPECT_THAT(PackedLinear::Find({"linear", 24, 120}, FloatFormat::kNvfp4, file), testing::Not(IsOk()));
  EXPECT_THAT(PackedLinear::Find(linear, FloatFormat::kMxfp4, file), testing::Not(IsOk()));
  EXPECT_THAT(PackedLinear::Find(linear, FloatFormat::kMxfp8, file), testing::Not(IsOk()));
}

}  // namespace
}  // namespace bitwright::worker
