#include "workers/import/float8_model.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"
#include "workers/tensor/float16.h"
#include "workers/tensor/float8.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

struct Tensor {
  std::string dtype;
  std::vector<int64_t> shape;
  std::string bytes;
};
using Tensors = std::map<std::string, Tensor>;

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

Tensor F32(std::vector<int64_t> shape, const std::vector<float>& values) {
  return {"F32", std::move(shape), Bytes(values)};
}

// Codes 0, 1, 2 … from `first` on.
Tensor Codes(int64_t rows, int64_t columns, uint8_t first = 0) {
  std::vector<uint8_t> codes;
  for (int64_t i = 0; i < rows * columns; ++i) codes.push_back(static_cast<uint8_t>(first + i));
  return {"F8_E4M3", {rows, columns}, Bytes(codes)};
}

json Fp8(const json& block = json::array({2, 4})) {
  return {{"hidden_size", 8},
          {"dtype", "bfloat16"},
          {"quantization_config", {{"quant_method", "fp8"}, {"weight_block_size", block}}}};
}

json FloatQuantized() {
  json config = {{"torch_dtype", "float16"}, {"hidden_size", 8}};
  config["quantization_config"] = {
      {"quant_method", "compressed-tensors"},
      {"format", "float-quantized"},
      {"config_groups", {{"group_0", {{"weights", {{"num_bits", 8}, {"type", "float"}, {"symmetric", true}}}}}}}};
  return config;
}

// A folder with these tensors.
struct Folder {
  Folder(const Tensors& tensors, const json& config) {
    json header = json::object();
    std::string data;
    for (const auto& [name, tensor] : tensors) {
      header[name] = {{"dtype", tensor.dtype},
                      {"shape", tensor.shape},
                      {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
      data += tensor.bytes;
    }
    EXPECT_THAT(WriteFile(dir / "model.safetensors", SafetensorsBytes(header.dump(), data)), IsOk());
    EXPECT_THAT(WriteFile(dir / "config.json", config.dump()), IsOk());
    EXPECT_THAT(WriteFile(dir / "tokenizer.json", "{}"), IsOk());
    EXPECT_THAT(WriteFile(dir / "README.md", "a card"), IsOk());
    for (const char* name : {"config.json", "model.safetensors", "tokenizer.json", "README.md"}) {
      files.emplace(name, ModelFile(dir / name));
    }
  }
  absl::StatusOr<PlainModel> Read(v1::Import::Form form = v1::Import::FP8) const {
    return ReadFloat8Model(files, form);
  }

  TempDir dir;
  ModelFiles files;
};

std::string BytesOf(const PlainModel& model, const std::string& name) {
  std::string bytes;
  for (const PlainTensor& tensor : model.tensors) {
    if (tensor.declaration.name != name) continue;
    EXPECT_THAT(tensor.write([&](std::span<const std::byte> part) {
      bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
      return absl::OkStatus();
    }),
                IsOk());
  }
  return bytes;
}

std::vector<std::string> Names(const PlainModel& model) {
  std::vector<std::string> names;
  for (const PlainTensor& tensor : model.tensors) names.push_back(tensor.declaration.name);
  return names;
}

// OCP 8-bit floating point specification, table of E4M3.
TEST(Float8, ValuesOfTheSpecification) {
  EXPECT_EQ(E4M3ToFloat(0x00), 0);
  EXPECT_TRUE(std::signbit(E4M3ToFloat(0x80)));
  EXPECT_EQ(E4M3ToFloat(0x01), std::ldexp(1.0F, -9)) << "smallest subnormal";
  EXPECT_EQ(E4M3ToFloat(0x07), std::ldexp(7.0F, -9)) << "largest subnormal";
  EXPECT_EQ(E4M3ToFloat(0x08), std::ldexp(1.0F, -6)) << "smallest normal";
  EXPECT_EQ(E4M3ToFloat(0x38), 1);
  EXPECT_EQ(E4M3ToFloat(0x7e), 448) << "largest";
  EXPECT_TRUE(std::isnan(E4M3ToFloat(0x7f)));
  EXPECT_TRUE(std::isnan(E4M3ToFloat(0xff)));
  for (uint8_t code = 0; code < 0x7e; ++code) {
    EXPECT_LT(E4M3ToFloat(code), E4M3ToFloat(static_cast<uint8_t>(code + 1)));
    EXPECT_EQ(E4M3ToFloat(static_cast<uint8_t>(code | 0x80)), -E4M3ToFloat(code));
  }
}

TEST(Float8Model, BlocksAreCutOffAtTheEdges) {
  const Tensors tensors = {{"a.weight", Codes(3, 6)},
                           {"a.weight_scale_inv", F32({2, 2}, {0.5F, 3, 5, 7})},
                           {"a.activation_scale", F32({1}, {1})},
                           {"norm.weight", F32({2}, {1, 2})}};
  const Folder folder(tensors, Fp8());
  ASSERT_OK_AND_ASSIGN(const PlainModel model, folder.Read());
  EXPECT_EQ(Names(model), (std::vector<std::string>{"a.weight", "norm.weight"}));
  std::vector<uint16_t> expected;
  const float scales[2][2] = {{0.5F, 3}, {5, 7}};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 6; ++j) {
      expected.push_back(FloatToBf16(E4M3ToFloat(static_cast<uint8_t>(6 * i + j)) * scales[i / 2][j / 4]));
    }
  }
  EXPECT_EQ(BytesOf(model, "a.weight"), Bytes(expected));
  EXPECT_EQ(BytesOf(model, "norm.weight"), tensors.at("norm.weight").bytes) << "as it was";
  EXPECT_EQ(model.tensors[0].declaration.dtype, DType::kBF16);
  const json config = json::parse(model.texts.at("config.json"));
  EXPECT_EQ(config, (json{{"hidden_size", 8}, {"dtype", "bfloat16"}}));
  EXPECT_EQ(model.carried.size(), 1U) << "the tokenizer";
}

TEST(Float8Model, TheDtypeIsThatOfTheConfig) {
  for (const auto& [scales, columns] :
       {std::pair{F32({1}, {2}), 1}, {F32({2, 1}, {2, 3}), 1}, {F32({2, 2}, {2, 3, 4, 5}), 2}}) {
    const Folder folder({{"a.weight", Codes(2, 4, 0x30)}, {"a.weight_scale", scales}, {"a.input_scale", F32({1}, {1})}},
                        FloatQuantized());
    ASSERT_OK_AND_ASSIGN(const PlainModel model, folder.Read(v1::Import::FLOAT_QUANTIZED));
    EXPECT_EQ(Names(model), std::vector<std::string>{"a.weight"});
    std::vector<uint16_t> expected;
    const auto* values = reinterpret_cast<const float*>(scales.bytes.data());
    for (int i = 0; i < 8; ++i) {
      const int scale = scales.bytes.size() == 4 ? 0 : i / 4 * columns + (columns == 2 ? i % 4 / 2 : 0);
      expected.push_back(FloatToF16(E4M3ToFloat(static_cast<uint8_t>(0x30 + i)) * values[scale]));
    }
    EXPECT_EQ(BytesOf(model, "a.weight"), Bytes(expected));
    EXPECT_EQ(model.tensors[0].declaration.dtype, DType::kF16);
  }
}

// As AutoFP8 writes them for vLLM.
TEST(Float8Model, OneScaleForAMatrixByItsOtherName) {
  json config = Fp8();
  config["quantization_config"] = {{"quant_method", "fp8"}, {"activation_scheme", "static"}};
  const Folder folder({{"a.weight", Codes(2, 4)}, {"a.weight_scale", F32({}, {3})}, {"a.input_scale", F32({}, {1})}},
                      config);
  ASSERT_OK_AND_ASSIGN(const PlainModel model, folder.Read());
  EXPECT_EQ(Names(model), std::vector<std::string>{"a.weight"});
  std::vector<uint16_t> expected;
  for (uint8_t code = 0; code < 8; ++code) expected.push_back(FloatToBf16(3 * E4M3ToFloat(code)));
  EXPECT_EQ(BytesOf(model, "a.weight"), Bytes(expected));
}

TEST(Float8Model, WhatIsWrongIsNamed) {
  const Tensors good = {{"a.weight", Codes(2, 4)}, {"a.weight_scale_inv", F32({1, 1}, {1})}};
  EXPECT_THAT(Folder(good, Fp8()).Read(), IsOk());
  const auto with = [&](const std::string& name, const Tensor& tensor) {
    Tensors tensors = good;
    tensors[name] = tensor;
    return Folder(tensors, Fp8()).Read().status();
  };
  const auto expect = [](const absl::Status& status, const std::string& reason, const std::string& named) {
    EXPECT_THAT(status, HasReason(reason));
    EXPECT_NE(status.message().find(named), absl::string_view::npos) << status;
  };
  Tensors bare = good;
  bare.erase("a.weight_scale_inv");
  expect(Folder(bare, Fp8()).Read().status(), "IMPORT_SCALE_INVALID", "'a.weight_scale_inv'");
  expect(with("a.weight_scale_inv", F32({3, 1}, {1, 2, 3})), "IMPORT_SCALE_INVALID", "[3, 1]");
  expect(with("a.weight_scale_inv", F32({0}, {})), "IMPORT_SCALE_INVALID", "[0]");
  expect(with("a.weight_scale_inv", {"I32", {1, 1}, std::string(4, '\0')}), "IMPORT_SCALE_INVALID", "I32");
  expect(with("a.bias", {"F8_E4M3", {2}, "ab"}), "IMPORT_TENSOR_UNSUPPORTED", "'a.bias'");
  expect(with("b.weight", {"F8_E4M3", {1, 1, 1}, "a"}), "IMPORT_TENSOR_UNSUPPORTED", "'b.weight'");
  expect(with("b.weight", {"F8_E5M2", {1, 1}, "a"}), "IMPORT_TENSOR_UNSUPPORTED", "F8_E5M2");
  for (const json& block : {json(1), json::array({1}), json::array({0, 1}), json::array({-1, 1}), json::array({1.5, 1}),
                            json::array({int64_t{1} << 40, 1}), json("x")}) {
    expect(Folder(good, Fp8(block)).Read().status(), "IMPORT_CONFIG_UNSUPPORTED", "weight_block_size");
  }
  EXPECT_THAT(Folder(good, json::array()).Read(), HasReason("JSON_INVALID"));
  EXPECT_THAT(Folder(good, json::object()).Read(), HasReason("IMPORT_CONFIG_UNSUPPORTED"));
  json config = FloatQuantized();
  config["quantization_config"]["config_groups"]["group_0"]["weights"]["type"] = "int";
  EXPECT_THAT(Folder(good, config).Read(v1::Import::FLOAT_QUANTIZED), HasReason("IMPORT_CONFIG_UNSUPPORTED"));
  config["quantization_config"].erase("config_groups");
  EXPECT_THAT(Folder(good, config).Read(v1::Import::FLOAT_QUANTIZED), HasReason("IMPORT_CONFIG_UNSUPPORTED"));
}

}  // namespace
}  // namespace bitwright::worker
