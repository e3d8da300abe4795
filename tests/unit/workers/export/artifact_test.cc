#include "workers/export/artifact.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "proto/contract/digest.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/export/sample_artifact.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

constexpr char kConfig[] = R"({"architectures":["LlamaForCausalLM"],"note":"ä","eps":1e-05,"nothing":null})";

// Writes every file of an artifact with zeros as tensor data.
void WriteArtifact(const TempDir& dir, const v1::ModelInfo& info, const v1::Plan& plan, const v1::Candidate& candidate,
                   const v1::Selection& selection, const v1::CardFacts& card,
                   const std::map<std::string, int64_t>& copied) {
  const auto tensors = ArtifactTensors(info, plan);
  ASSERT_OK_AND_ASSIGN(SafetensorsWriter writer,
                       SafetensorsWriter::Create(dir / kWeightsFile, tensors, ArtifactMetadata()));
  for (const TensorDeclaration& tensor : tensors) {
    int64_t bytes = ByteSize(tensor.dtype);
    for (const int64_t d : tensor.shape) bytes *= d;
    const std::string zeros(static_cast<size_t>(bytes), '\0');
    BITWRIGHT_ASSERT_OK(writer.Append(zeros.data(), zeros.size()));
  }
  BITWRIGHT_ASSERT_OK(writer.Close());
  std::map<std::string, std::string> digests{{kWeightsFile, Sha256Hex("")}};
  ASSERT_OK_AND_ASSIGN(auto texts, WrittenFiles(kConfig, info, plan, candidate, selection, card));
  for (const auto& [path, size] : copied) texts[path] = std::string(static_cast<size_t>(size), 'c');
  for (const auto& [path, text] : texts) {
    BITWRIGHT_ASSERT_OK(WriteFile(dir / path, text));
    digests[path] = Sha256Hex(text);
  }
  BITWRIGHT_ASSERT_OK(WriteFile(dir / kSumsFile, Sha256Sums(digests)));
}

int64_t BytesOnDisk(const TempDir& dir) {
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path()))
    bytes += static_cast<int64_t>(entry.file_size());
  return bytes;
}

TEST(ArtifactTensors, LieAlignedByFallingElementSizeThenName) {
  const v1::ModelInfo info = SampleInfo(2, 96, 50);
  std::mt19937 random(1);
  const auto tensors = ArtifactTensors(info, RandomPlan(info, random));
  ASSERT_EQ(tensors.size(), 3u + 3u * 2u * 6u);
  int64_t offset = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const int64_t size = ByteSize(tensors[i].dtype);
    EXPECT_EQ(offset % size, 0) << tensors[i].name;
    for (const int64_t d : tensors[i].shape) EXPECT_GE(d, 1);
    int64_t elements = 1;
    for (const int64_t d : tensors[i].shape) elements *= d;
    offset += size * elements;
    if (i == 0) continue;
    const int64_t before = ByteSize(tensors[i - 1].dtype);
    EXPECT_TRUE(before > size || (before == size && tensors[i - 1].name < tensors[i].name)) << tensors[i].name;
  }
}

TEST(ArtifactTensors, ShapesAreThoseOfPackQuantized) {
  const v1::ModelInfo info = SampleInfo(1, 64, 50);
  v1::Plan plan;
  for (int u = 0; u < 3; ++u) {
    plan.add_units()->mutable_format()->set_bits(3);
    plan.mutable_units(u)->mutable_format()->set_group_size(u == 2 ? 0 : 32);
  }
  std::map<std::string, TensorDeclaration> tensors;
  for (const TensorDeclaration& tensor : ArtifactTensors(info, plan)) tensors[tensor.name] = tensor;
  const std::string down = "model.layers.0.unit_2.linear_0", up = "model.layers.0.unit_1.linear_0";
  EXPECT_EQ(tensors.at(down + ".weight_packed").shape, (std::vector<int64_t>{64, 5})) << "50 · 3 bits in words";
  EXPECT_EQ(tensors.at(down + ".weight_packed").dtype, DType::kI32);
  EXPECT_EQ(tensors.at(down + ".weight_scale").shape, (std::vector<int64_t>{64, 1}));
  EXPECT_EQ(tensors.at(down + ".weight_scale").dtype, DType::kBF16);
  EXPECT_EQ(tensors.at(down + ".weight_shape").shape, std::vector<int64_t>{2});
  EXPECT_EQ(tensors.at(down + ".weight_shape").dtype, DType::kI64);
  EXPECT_EQ(tensors.at(up + ".weight_scale").shape, (std::vector<int64_t>{50, 2}));
  EXPECT_EQ(tensors.at("model.norm.weight").dtype, DType::kF32);
}

TEST(ArtifactBytes, EqualTheBytesReallyWritten) {
  std::mt19937 random(2);
  for (int round = 0; round < 40; ++round) {
    const v1::ModelInfo info =
        SampleInfo(1 + static_cast<int>(random() % 3), 64, round % 2 ? 96 : 50, round % 3 ? "BF16" : "F32");
    const v1::Plan plan = RandomPlan(info, random);
    const v1::Candidate candidate = RandomCandidate(random);
    const v1::Selection selection = RandomSelection(random);
    const v1::CardFacts card = RandomCard(info, random);
    const std::map<std::string, int64_t> copied = {{"tokenizer.json", 1000}, {"generation_config.json", 0}};
    const TempDir dir;
    WriteArtifact(dir, info, plan, candidate, selection, card, copied);
    ASSERT_OK_AND_ASSIGN(const int64_t bytes, ArtifactBytes(kConfig, copied, info, plan, candidate, selection, card));
    EXPECT_EQ(bytes, BytesOnDisk(dir)) << "round " << round;
  }
}

// What the card says of vLLM follows from the plan's widths.
TEST(ModelCard, RecommendsVllmOnlyForWhatItsKernelsHave) {
  std::mt19937 random(4);
  const v1::ModelInfo info = SampleInfo(1, 64, 96);
  const auto card_of = [&](const std::vector<int>& widths) {
    v1::Plan plan = RandomPlan(info, random);
    for (int u = 0; u < plan.units_size(); ++u) {
      plan.mutable_units(u)->mutable_format()->set_bits(widths[static_cast<size_t>(u) % widths.size()]);
    }
    const auto texts =
        WrittenFiles(kConfig, info, plan, RandomCandidate(random), RandomSelection(random), RandomCard(info, random));
    return texts.ok() ? texts->at("README.md") : texts.status().ToString();
  };
  EXPECT_NE(card_of({4, 8}).find("`vllm serve"), std::string::npos);
  const std::string mixed = card_of({3, 4, 6});
  EXPECT_EQ(mixed.find("`vllm serve"), std::string::npos);
  EXPECT_NE(mixed.find("this plan has widths of 3, 6, too."), std::string::npos) << mixed;
}

TEST(ArtifactOverheadBound, IsNeverBelowTheRealOverhead) {
  constexpr int64_t kWidths[] = {32, 50, 64, 96, 128, 256, 4096};
  std::mt19937 random(3);
  for (int round = 0; round < 1500; ++round) {
    const int blocks = 1 + static_cast<int>(random() % (round % 50 ? 6 : 40));
    const v1::ModelInfo info =
        SampleInfo(blocks, kWidths[random() % std::size(kWidths)], kWidths[random() % std::size(kWidths)]);
    const v1::Plan plan = RandomPlan(info, random);
    const std::map<std::string, int64_t> copied = {{"tokenizer.json", static_cast<int64_t>(random() % 100000)}};
    ASSERT_OK_AND_ASSIGN(const int64_t bound, ArtifactOverheadBound(kConfig, copied, info));
    ASSERT_OK_AND_ASSIGN(const int64_t bytes, ArtifactBytes(kConfig, copied, info, plan, RandomCandidate(random),
                                                            RandomSelection(random), RandomCard(info, random)));
    const int64_t overhead = bytes - plan.weight_bytes() - info.kept_bytes();
    ASSERT_LE(overhead, bound) << "round " << round << ", blocks " << blocks;
    // Useful, too: what a job may lose to it is small. Names and numbers here are as long as they may be.
    EXPECT_LT(bound - overhead, 24000 + 600 * blocks) << "round " << round << ", blocks " << blocks;
  }
}

TEST(Artifact, ConfigThatIsNoObjectIsRefused) {
  const v1::ModelInfo info = SampleInfo(1, 64, 64);
  std::mt19937 random(4);
  const v1::Plan plan = RandomPlan(info, random);
  for (const char* text : {"", "[]", "1", "{", "{\"a\":\"\xff\"}"}) {
    EXPECT_THAT(WrittenFiles(text, info, plan, {}, {}, {}), HasReason("CONFIG_INVALID")) << text;
  }
}

TEST(Artifact, ConfigSaysWhatTheArtifactIs) {
  v1::ModelInfo info = SampleInfo(1, 64, 64);
  info.set_family("llama");
  std::mt19937 random(5);
  const v1::Plan plan = RandomPlan(info, random);
  const auto config = [&](const char* text) {
    const auto written = WrittenFiles(text, info, plan, {}, {}, {});
    EXPECT_THAT(written, IsOk());
    return nlohmann::json::parse(written.ok() ? written->at("config.json") : "{}");
  };
  auto json = config(R"({"tie_word_embeddings":true,"auto_map":{"AutoModel":"a.B"},"model_type":"llama"})");
  EXPECT_EQ(json["tie_word_embeddings"], false);
  EXPECT_FALSE(json.contains("auto_map"));
  EXPECT_EQ(json["architectures"], nlohmann::json({"LlamaForCausalLM"}));
  json = config(R"({"architectures":["LlamaForCausalLM"]})");
  EXPECT_EQ(json["model_type"], "llama");
  EXPECT_FALSE(json.contains("tie_word_embeddings"));
  info.set_tied_embeddings(true);
  json = config(R"({"architectures":["LlamaForCausalLM"]})");
  EXPECT_EQ(json["tie_word_embeddings"], true);
}

TEST(Sha256Sums, IsWhatSha256sumChecks) {
  EXPECT_EQ(Sha256Sums({{"b/c", "11"}, {"a", "00"}}), "00  a\n11  b/c\n");
  EXPECT_EQ(Sha256Sums({}), "");
}

}  // namespace
}  // namespace bitwright::worker
