#include "workers/targets/gptq.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/targets/sample_artifact.h"
#include "workers/quantize/linear_packing.h"
#include "workers/targets/format_messages.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

constexpr char kLinear[] = "model.layers.0.unit_0.linear_0";

// A model of one linear [out, in] that is planned in one format.
struct OneLinear {
  OneLinear(int64_t out, int64_t in, const Format& format) {
    info.set_architecture("LlamaForCausalLM");
    info.set_dtype("F32");
    v1::UnitInfo& unit = *info.add_units();
    unit.set_name("model.layers.0.unit_0");
    unit.set_weights(out * in);
    auto& linear = *unit.add_linears();
    linear.set_name(kLinear);
    linear.set_out_features(out);
    linear.set_in_features(in);
    *plan.add_units()->mutable_format() = ToProto(format);
  }
  v1::ModelInfo info;
  v1::Plan plan;
};

// Codes and scales of the layout's own packer, through our packing, give its bytes.
TEST(GptqTest, WritesTheBytesOfThePublishedLayout) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const int bits : {2, 3, 4, 8}) {
    for (const auto& [name, group] : std::map<std::string, int>{{"g32", 32}, {"g128", 128}, {"channel", 0}}) {
      SCOPED_TRACE(name + ", " + std::to_string(bits) + " bits");
      const FixtureTensors fixture =
          ReadFixture(*shared + "/fixtures/packing/gptq/int" + std::to_string(bits) + "-" + name + ".safetensors");
      const FixtureTensor& codes = Find(fixture, "codes");
      const int64_t out = codes.shape[0], in = codes.shape[1];
      const IntFormat format{bits, group, false, true};
      const LinearSpec linear{kLinear, out, in};
      RoundedLinear rounded;
      for (const uint8_t code : codes.As<uint8_t>())
        rounded.codes.push_back(static_cast<int8_t>(code - (1 << (bits - 1))));
      const std::vector<float> scales = Find(fixture, "scales").ToFloat();
      const int64_t groups = format.Groups(in);
      for (int64_t r = 0; r < out; ++r) {
        for (int64_t g = 0; g < groups; ++g) rounded.scales.push_back(scales[static_cast<size_t>(g * out + r)]);
      }
      QuantizedLinear quantized{rounded};
      const TempDir dir;
      auto units = PackedUnitsWriter::Create(dir / "units",
                                             {{{"model.layers.0.unit_0", {linear}}, Format(format), DType::kF32}});
      ASSERT_THAT(units, IsOk());
      ASSERT_THAT(units->Append(linear, format, DType::kF32, quantized), IsOk());
      ASSERT_THAT(units->Close(), IsOk());
      ASSERT_OK_AND_ASSIGN(const PackedUnits packed, PackedUnits::Open({dir / "units"}));

      const OneLinear model(out, in, format);
      ASSERT_TRUE(Gptq().Stores(format, out, in));
      ASSERT_THAT(Gptq().WriteWeights(dir / "model", SampleModel(model.info), model.plan, {Checkpoint(), packed},
                                      [](double) {}),
                  IsOk());
      const FixtureTensors written = ReadFixture(dir / "model");
      ASSERT_EQ(written.size(), 4u);
      int64_t bytes = 0;
      for (const char* tensor : {"qweight", "qzeros", "scales", "g_idx"}) {
        const FixtureTensor& ours = Find(written, std::string(kLinear) + "." + tensor);
        EXPECT_EQ(ours.shape, Find(fixture, tensor).shape) << tensor;
        EXPECT_EQ(ours.dtype, Find(fixture, tensor).dtype) << tensor;
        EXPECT_TRUE(ours.bytes == Find(fixture, tensor).bytes) << tensor;
        bytes += std::ssize(ours.bytes);
      }
      EXPECT_EQ(Gptq().LinearBytes(format, out, in, DType::kF32), bytes);
    }
  }
}

TEST(GptqTest, StoresWhatFillsWholeWords) {
  EXPECT_FALSE(Gptq().Stores(IntFormat{4, 0, false, true}, 12, 64));
  EXPECT_TRUE(Gptq().Stores(IntFormat{4, 0, false, true}, 16, 64));
  EXPECT_FALSE(Gptq().Stores(IntFormat{3, 32, false, true}, 48, 64));
  EXPECT_FALSE(Gptq().Stores(IntFormat{8, 128, false, true}, 64, 64));
  EXPECT_TRUE(Gptq().Stores(PlainFormat{}, 7, 7));
}

// Every linear, and the name of what vLLM makes of it, is under the sizes of its own format: those of the first rule
// whose pattern matches from the start of the name, or the config's own.
TEST(GptqTest, RulesHoldForLinearsAndForWhatTheyAreFusedTo) {
  v1::ModelInfo info = SampleInfo(3, 128, 96);
  std::mt19937 random(9);
  const std::vector<Format> formats = {IntFormat{4, 32, false, true}, IntFormat{8, 0, false, true}, PlainFormat{}};
  v1::Plan plan = RandomPlan(info, random);
  for (auto& unit : *plan.mutable_units()) *unit.mutable_format() = ToProto(formats[random() % formats.size()]);
  *plan.mutable_units(0)->mutable_format() = ToProto(formats[0]);
  TargetModel model = SampleModel(info);
  model.texts["config.json"] = R"({"hidden_size":64})";
  ASSERT_OK_AND_ASSIGN(const auto files, Gptq().OwnFiles(model, plan));
  const json config = json::parse(files.at("config.json"))["quantization_config"];
  EXPECT_EQ(config["quant_method"], "gptq");
  EXPECT_EQ(config["checkpoint_format"], "gptq");
  EXPECT_EQ(config["sym"], true);
  EXPECT_EQ(config["desc_act"], false);
  const auto sizes_of = [&](const std::string& name) -> json {
    for (const auto& [rule, sizes] : config["dynamic"].items()) {
      if (!std::regex_match(name, std::regex(rule.substr(2)))) continue;
      return rule[0] == '-' ? json() : sizes;
    }
    return {{"bits", config["bits"]}, {"group_size", config["group_size"]}};
  };
  for (int u = 0; u < plan.units_size(); ++u) {
    const Format format = *FormatOf(plan.units(u).format());
    const auto* integers = std::get_if<IntFormat>(&format);
    json want;
    if (integers != nullptr) {
      want = {{"bits", integers->bits}, {"group_size", integers->group_size == 0 ? -1 : integers->group_size}};
    }
    EXPECT_EQ(sizes_of(info.units(u).name()), want);
    for (const auto& linear : info.units(u).linears()) EXPECT_EQ(sizes_of(linear.name()), want) << linear.name();
  }
}

}  // namespace
}  // namespace bitwright::worker
