#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/status_matchers.h"
#include "tests/unit/workers/targets/sample_artifact.h"
#include "workers/targets/artifact.h"
#include "workers/targets/compressed_tensors.h"
#include "workers/targets/format_messages.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

json ConfigOf(const v1::ModelInfo& info, const v1::Plan& plan) {
  TargetModel model = SampleModel(info);
  model.texts["config.json"] = R"({"hidden_size":64,"last":{"b":1,"a":2}})";
  const auto files = CompressedTensors().OwnFiles(model, plan);
  EXPECT_THAT(files, IsOk());
  return json::parse(files->at("config.json"));
}

// A format as a scheme of the config states it: what the library's QuantizationArgs in fixtures/packing are.
json SchemeOf(const Format& format) {
  json scheme = {{"dynamic", false}, {"symmetric", true}, {"group_size", nullptr}};
  if (const auto* integers = std::get_if<IntFormat>(&format)) {
    scheme["type"] = "int";
    scheme["num_bits"] = integers->bits;
    scheme["symmetric"] = !integers->asymmetric;
    scheme["strategy"] = integers->group_size == 0 ? "channel" : "group";
    if (integers->group_size != 0) scheme["group_size"] = integers->group_size;
    return scheme;
  }
  static const std::map<FloatFormat, json> floats = {
      {FloatFormat::kMxfp4, json::parse(R"({"strategy":"group","group_size":32,"scale_dtype":"torch.uint8"})")},
      {FloatFormat::kMxfp6, json::parse(R"({"strategy":"group","group_size":32,"scale_dtype":"torch.uint8"})")},
      {FloatFormat::kMxfp8, json::parse(R"({"strategy":"group","group_size":32,"scale_dtype":"torch.uint8"})")},
      {FloatFormat::kNvfp4,
       json::parse(R"({"strategy":"tensor_group","group_size":16,"scale_dtype":"torch.float8_e4m3fn"})")},
      {FloatFormat::kFp8Tensor, json::parse(R"({"strategy":"tensor"})")},
      {FloatFormat::kFp8Channel, json::parse(R"({"strategy":"channel"})")},
      {FloatFormat::kFp8Block, json::parse(R"({"strategy":"block","block_structure":[128,128]})")}};
  const FloatFormat format_of_floats = std::get<FloatFormat>(format);
  scheme["type"] = "float";
  scheme["num_bits"] = SpecOf(format_of_floats).bits;
  scheme.update(floats.at(format_of_floats));
  return scheme;
}

// The same of what the weights are multiplied with.
json InputsOf(const Format& format) {
  if (!InputOf(format).rounds()) return nullptr;
  return json::parse(R"({"num_bits":8,"type":"int","symmetric":true,"strategy":"token","group_size":null,
                         "dynamic":true})");
}

TEST(QuantizationConfig, OneGroupAFormatEveryLinearOnceByItsName) {
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    const v1::ModelInfo info = SampleInfo(3, 128, 50);
    const v1::Plan plan = RandomPlan(info, random);
    const json config = ConfigOf(info, plan)["quantization_config"];
    EXPECT_EQ(config["quant_method"], "compressed-tensors");
    std::map<std::string, json> schemes, inputs;
    std::set<json> seen;
    std::set<std::string> packings, ignored;
    for (const std::string name : config["ignore"]) ignored.insert(name);
    EXPECT_EQ(ignored.erase("lm_head"), 1u);
    for (const auto& [name, group] : config["config_groups"].items()) {
      EXPECT_TRUE(seen.insert(json::array({group["weights"], group["input_activations"]})).second)
          << "one group for each format";
      packings.insert(group["format"]);
      for (const std::string target : group["targets"]) {
        EXPECT_TRUE(schemes.emplace(target, group["weights"]).second) << target << " twice";
        inputs[target] = group["input_activations"];
      }
    }
    EXPECT_EQ(config["format"], packings.size() == 1 ? *packings.begin() : "mixed-precision");
    size_t linears = 0;
    for (int u = 0; u < info.units_size(); ++u) {
      const Format format = *FormatOf(plan.units(u).format());
      for (const auto& linear : info.units(u).linears()) {
        ++linears;
        if (std::holds_alternative<PlainFormat>(format)) {
          EXPECT_EQ(ignored.count(linear.name()), 1u) << linear.name();
        } else {
          EXPECT_EQ(schemes.at(linear.name()), SchemeOf(format)) << linear.name();
          EXPECT_EQ(inputs.at(linear.name()), InputsOf(format)) << linear.name();
        }
      }
    }
    EXPECT_EQ(schemes.size() + ignored.size(), linears);
  }
}

TEST(QuantizationConfig, ThereIsNoneWhereNothingIsQuantized) {
  const v1::ModelInfo info = SampleInfo(1, 64, 64);
  std::mt19937 random(3);
  v1::Plan plan = RandomPlan(info, random);
  for (auto& unit : *plan.mutable_units()) *unit.mutable_format() = ToProto(PlainFormat{});
  EXPECT_FALSE(ConfigOf(info, plan).contains("quantization_config"));
}

// transformers finds the experts' group by a pattern that names them.
TEST(QuantizationConfig, TiedUnitsAreOnePattern) {
  v1::ModelInfo info = SampleInfo(2, 128, 50);
  for (int u = 0; u < info.units_size(); ++u) {
    if (u % 4 >= 2) info.mutable_units(u)->set_tie("experts");
  }
  std::mt19937 random(7);
  v1::Plan plan = RandomPlan(info, random);
  for (int u = 0; u < info.units_size(); ++u) {
    *plan.mutable_units(u)->mutable_format() = ToProto(IntFormat{u % 4 >= 2 ? 3 : 5, 0});
  }
  const json groups = ConfigOf(info, plan)["quantization_config"]["config_groups"];
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups["group_0"]["weights"]["num_bits"], 3);
  EXPECT_EQ(groups["group_0"]["targets"], json::array({R"(re:.*\.experts\..*)"}));
  EXPECT_EQ(groups["group_1"]["weights"]["num_bits"], 5);
}

// transformers takes names of the torch module alone, and the type that a module's "auto" would find.
TEST(QuantizationConfig, TheDTypeIsSpelledAsTransformersReadsIt) {
  v1::ModelInfo info = SampleInfo(1, 64, 64);
  info.set_dtype("BF16");
  std::mt19937 random(1);
  const v1::Plan plan = RandomPlan(info, random);
  for (const auto& [given, written] : std::map<std::string, std::string>{{R"("torch.float16")", R"("float16")"},
                                                                         {R"("half")", R"("half")"},
                                                                         {R"("auto")", R"("bfloat16")"},
                                                                         {"null", "null"}}) {
    for (const std::string key : {"dtype", "torch_dtype"}) {
      TargetModel model = SampleModel(info);
      model.texts["config.json"] = "{\"" + key + "\":" + given + "}";
      ASSERT_OK_AND_ASSIGN(const auto files, CompressedTensors().OwnFiles(model, plan));
      EXPECT_EQ(json::parse(files.at("config.json"))[key].dump(), written) << given;
    }
  }
}

TEST(QuantizationConfig, TheRestOfTheConfigStaysInItsOrder) {
  const v1::ModelInfo info = SampleInfo(1, 64, 64);
  std::mt19937 random(6);
  TargetModel model = SampleModel(info);
  model.texts["config.json"] = R"({"z":1,"a":{"y":2.5,"b":[1,null]}})";
  const auto files = CompressedTensors().OwnFiles(model, RandomPlan(info, random));
  ASSERT_THAT(files, IsOk());
  const std::string& text = files->at("config.json");
  EXPECT_LT(text.find("\"z\""), text.find("\"a\""));
  EXPECT_LT(text.find("\"y\""), text.find("\"b\""));
  json config = json::parse(text);
  for (const char* key : {"quantization_config", "architectures"}) config.erase(key);  // added where it lacks them
  EXPECT_EQ(config, json::parse(R"({"z":1,"a":{"y":2.5,"b":[1,null]}})"));
}

TEST(PlanJson, HoldsEveryUnitAndParses) {
  const v1::ModelInfo info = SampleInfo(2, 64, 64);
  std::mt19937 random(7);
  const v1::Plan plan = RandomPlan(info, random);
  v1::CardFacts card;
  card.set_model("bad \xff name");
  const auto files = WrittenFiles(CompressedTensors(), SampleModel(info), info.targets(0), plan,
                                  {RandomCandidate(random), RandomSelection(random), card});
  ASSERT_THAT(files, IsOk());
  const json parsed = json::parse(files->at("plan.json"));
  ASSERT_EQ(parsed["units"].size(), static_cast<size_t>(plan.units_size()));
  EXPECT_EQ(parsed["units"][0]["name"], plan.units(0).unit());
  EXPECT_EQ(parsed["units"][0]["bytes"], plan.units(0).bytes());
}

}  // namespace
}  // namespace bitwright::worker
