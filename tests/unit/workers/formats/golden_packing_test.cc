#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/device_values.h"
#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "workers/formats/int_format.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/kernels/elementwise.h"
#include "workers/kernels/pack_codes.h"

namespace bitwright::worker {
namespace {

IntFormat FormatOf(const std::string& file) {  // "int4-sym-g32-bf16"
  const int bits = file[3] - '0';
  if (file.find("channel") != std::string::npos) return {bits, IntFormat::kChannel};
  return {bits, std::stoi(file.substr(file.find("-g") + 2))};
}

// Bytes, codes and values that compressed-tensors itself wrote.
void CheckFile(const std::string& path, const std::string& file) {
  SCOPED_TRACE(file);
  const IntFormat format = FormatOf(file);
  const FixtureTensors tensors = ReadFixture(path + "/" + file + ".safetensors");
  const FixtureTensor& codes_tensor = Find(tensors, "codes");
  const FixtureTensor& scale_tensor = Find(tensors, "out.weight_scale");
  const int64_t out = codes_tensor.shape[0];
  const int64_t in = codes_tensor.shape[1];
  const std::vector<int8_t> codes = codes_tensor.As<int8_t>();
  const std::vector<uint32_t> expected = Find(tensors, "out.weight_packed").As<uint32_t>();

  std::vector<uint32_t> packed(static_cast<size_t>(out * format.WordsPerRow(in)));
  PackCodes(format.bits, out, in, codes, packed);
  EXPECT_EQ(packed, expected);
  std::vector<int8_t> unpacked(codes.size());
  UnpackCodes(format.bits, out, in, expected, unpacked);
  EXPECT_EQ(unpacked, codes);

  const DType type = *ParseDType(scale_tensor.dtype);
  ThreadPool pool(2);
  const auto device = MakeCpuDevice(pool);
  const DeviceMatrix values(*device, DType::kF32, out, in);
  device->rounding().Dequantize(format.Grid(in, type), codes, scale_tensor.ToFloat(), values.view());
  EXPECT_EQ(Values(*device, values.view()), Find(tensors, "dequantized").ToFloat());
  device->Fill(0, values.view());
  device->rounding().DequantizePacked(format.Grid(in, type), std::as_bytes(std::span(expected)),
                                      {type, scale_tensor.shape, std::as_bytes(std::span(scale_tensor.bytes))},
                                      values.view());
  EXPECT_EQ(Values(*device, values.view()), Find(tensors, "dequantized").ToFloat());

  const int64_t bytes =
      static_cast<int64_t>(Find(tensors, "out.weight_packed").bytes.size() + scale_tensor.bytes.size() +
                           Find(tensors, "out.weight_shape").bytes.size());
  EXPECT_EQ(StoredBytes(format, out, in, type), bytes);
}

TEST(GoldenPackingTest, EveryWidthGroupAndTypeOfTheReference) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (int bits = 2; bits <= 8; ++bits) {
    for (const char* rest : {"g32-f32", "g128-f32", "channel-f32", "g32-bf16", "g32-f16"}) {
      if (std::string(rest).ends_with("16") && bits != 4 && bits != 8) continue;  // the reference has no such file
      CheckFile(*shared + "/fixtures/packing/compressed-tensors", "int" + std::to_string(bits) + "-sym-" + rest);
    }
  }
}

// What compressed-tensors multiplies with: rows of zeros, of one sign, of ties, an outlier, numbers near 1e-30.
TEST(GoldenPackingTest, InputsAreRoundedAsCompressedTensorsDoes) {
  const FixtureTensors tensors = ReadFixture(SourcePath("tests/golden/formats/a8-token-f32.safetensors"));
  const std::vector<float> x = Find(tensors, "in.x").ToFloat(), want = Find(tensors, "out.x").ToFloat();
  const int64_t columns = Find(tensors, "in.x").shape[1];
  std::vector<float> rounded(x.size()), plain(x.size());
  for (size_t row = 0; row < x.size(); row += static_cast<size_t>(columns)) {
    RoundAtSite({8}, x.data() + row, columns, rounded.data() + row);
    ReferenceRoundAtSite({8}, x.data() + row, columns, plain.data() + row);
  }
  EXPECT_EQ(rounded, want);
  EXPECT_EQ(plain, want);
}

TEST(GoldenPackingTest, TheCopiesBesideTheTests) {
  for (const char* file : {"int3-sym-channel-f32", "int5-sym-channel-f32", "int4-sym-g32-bf16", "int8-sym-g32-f16"}) {
    CheckFile(SourcePath("tests/golden/formats"), file);
  }
}

}  // namespace
}  // namespace bitwright::worker
