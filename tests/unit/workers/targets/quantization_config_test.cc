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

TEST(QuantizationConfig, OneGroupAFormatEveryLinearOnceByItsName) {
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    const v1::ModelInfo info = SampleInfo(3, 128, 50);
    const v1::Plan plan = RandomPlan(info, random);
    const json config = ConfigOf(info, plan)["quantization_config"];
    EXPECT_EQ(config["quant_method"], "compressed-tensors");
    EXPECT_EQ(config["format"], "pack-quantized");
    EXPECT_EQ(config["ignore"], json::array({"lm_head"}));
    std::map<std::string, std::pair<int, int>> formats;
    std::set<std::pair<int, int>> seen;
    for (const auto& [name, group] : config["config_groups"].items()) {
      const json& weights = group["weights"];
      const bool channel = weights["strategy"] == "channel";
      EXPECT_EQ(weights["group_size"].is_null(), channel);
      EXPECT_EQ(weights["type"], "int");
      EXPECT_EQ(weights["symmetric"], true);
      EXPECT_EQ(group["format"], "pack-quantized");
      const std::pair<int, int> format{weights["num_bits"], channel ? 0 : weights["group_size"].get<int>()};
      EXPECT_TRUE(seen.insert(format).second) << "one group for each format";
      for (const std::string target : group["targets"]) {
        EXPECT_TRUE(formats.emplace(target, format).second) << target << " twice";
      }
    }
    size_t linears = 0;
    for (int u = 0; u < info.units_size(); ++u) {
      for (const auto& linear : info.units(u).linears()) {
        ++linears;
        const v1::IntegerFormat& format = plan.units(u).format().integer();
        EXPECT_EQ(formats.at(linear.name()), std::make_pair(format.bits(), format.group_size())) << linear.name();
      }
    }
    EXPECT_EQ(formats.size(), linears);
  }
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
