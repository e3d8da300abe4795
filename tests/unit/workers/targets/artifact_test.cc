#include "workers/targets/artifact.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "proto/contract/digest.h"
#include "proto/contract/rpc_status.h"
#include "proto/contract/targets.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/targets/sample_artifact.h"
#include "workers/base/files.h"
#include "workers/targets/compressed_tensors.h"
#include "workers/targets/consumer_texts.h"
#include "workers/targets/consumers.h"
#include "workers/targets/format_messages.h"
#include "workers/targets/gptq.h"

namespace bitwright::worker {
namespace {

// A model's tensors as files that hold zeros: what stays, and what was rounded.
struct ZeroSources {
  TempDir dir;
  std::optional<Checkpoint> checkpoint;
  std::optional<PackedUnits> packed;

  ZeroSources(const v1::ModelInfo& info, const v1::Plan& plan) {
    std::vector<TensorDeclaration> kept;
    for (const auto& tensor : info.kept()) {
      kept.push_back({tensor.name(), *ParseDType(tensor.dtype()), {tensor.shape().begin(), tensor.shape().end()}});
    }
    Write("model.safetensors", kept);
    std::vector<TensorDeclaration> rounded;
    for (int u = 0; u < plan.units_size(); ++u) {
      const Format format = *FormatOf(plan.units(u).format());
      for (const auto& linear : info.units(u).linears()) {
        for (const StoredTensor& stored :
             StoredTensors(format, linear.out_features(), linear.in_features(), *ParseDType(info.dtype()))) {
          rounded.push_back({linear.name() + std::string(stored.suffix), stored.dtype, stored.shape});
        }
      }
    }
    Write("rounded.safetensors", rounded);
    ModelFiles files;
    files["model.safetensors"].path = dir / "model.safetensors";
    auto opened = Checkpoint::Open(files);
    EXPECT_THAT(opened, IsOk());
    checkpoint = *std::move(opened);
    auto units = PackedUnits::Open({dir / "rounded.safetensors"});
    EXPECT_THAT(units, IsOk());
    packed = *std::move(units);
  }

  void Write(const char* name, const std::vector<TensorDeclaration>& tensors) {
    auto writer = SafetensorsWriter::Create(dir / name, tensors, {});
    EXPECT_THAT(writer, IsOk());
    for (const TensorDeclaration& tensor : tensors) {
      const std::string zeros(static_cast<size_t>(tensor.bytes()), '\0');
      BITWRIGHT_EXPECT_OK(writer->Append(zeros.data(), zeros.size()));
    }
    BITWRIGHT_EXPECT_OK(writer->Close());
  }
};

// Writes every file of an artifact.
void WriteArtifact(const TempDir& dir, const TargetModel& model, const v1::Plan& plan, const Measured& measured) {
  const Target& target = CompressedTensors();
  const std::string weights(target.weights_file());
  const ZeroSources from(model.info, plan);
  BITWRIGHT_ASSERT_OK(target.WriteWeights(dir / weights, model, plan, {*from.checkpoint, *from.packed}, [](double) {}));
  std::map<std::string, std::string> digests{{weights, Sha256Hex("")}};
  ASSERT_OK_AND_ASSIGN(auto texts, WrittenFiles(target, model, model.info.targets(0), plan, measured));
  for (const auto& [path, size] : model.carried) texts[path] = std::string(static_cast<size_t>(size), 'c');
  for (const auto& [path, text] : texts) {
    BITWRIGHT_ASSERT_OK(WriteFile(dir / path, text));
    digests[path] = Sha256Hex(text);
  }
  BITWRIGHT_ASSERT_OK(WriteFile(dir / kSumsFile, Sha256Sums(digests)));
}

// The tensors of the weights' file of a plan, by name.
SafetensorsFile Written(const TempDir& dir, const v1::ModelInfo& info, const v1::Plan& plan) {
  const ZeroSources from(info, plan);
  const std::string path = dir / "weights.safetensors";
  BITWRIGHT_EXPECT_OK(
      CompressedTensors().WriteWeights(path, SampleModel(info), plan, {*from.checkpoint, *from.packed}, [](double) {}));
  auto file = SafetensorsFile::Open(path, "weights");
  EXPECT_THAT(file, IsOk());
  return *std::move(file);
}

int64_t BytesOnDisk(const TempDir& dir) {
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path()))
    bytes += static_cast<int64_t>(entry.file_size());
  return bytes;
}

TEST(CompressedTensors, TensorsLieAlignedByFallingElementSizeThenName) {
  const v1::ModelInfo info = SampleInfo(2, 96, 50);
  std::mt19937 random(1);
  const TempDir dir;
  const v1::Plan plan = RandomPlan(info, random);
  size_t tensors = 3;
  for (int u = 0; u < plan.units_size(); ++u) {
    for (const auto& linear : info.units(u).linears()) {
      const Format format = *FormatOf(plan.units(u).format());
      tensors += StoredTensors(format, linear.out_features(), linear.in_features(), DType::kBF16).size();
    }
  }
  const SafetensorsFile file = Written(dir, info, plan);
  ASSERT_EQ(file.tensors().size(), tensors);
  std::vector<std::tuple<const std::byte*, int64_t, std::string>> placed;
  for (const auto& [name, view] : file.tensors()) placed.emplace_back(view.bytes.data(), ByteSize(view.dtype), name);
  std::sort(placed.begin(), placed.end());
  for (size_t i = 0; i < placed.size(); ++i) {
    const auto& [data, size, name] = placed[i];
    EXPECT_EQ((data - std::get<0>(placed[0])) % size, 0) << name;
    if (i == 0) continue;
    const auto& [before, larger, earlier] = placed[i - 1];
    EXPECT_TRUE(larger > size || (larger == size && earlier < name)) << name;
  }
}

TEST(CompressedTensors, ShapesAreThoseOfPackQuantized) {
  const v1::ModelInfo info = SampleInfo(1, 64, 50);
  v1::Plan plan;
  for (int u = 0; u < 3; ++u) *plan.add_units()->mutable_format() = ToProto(IntFormat{3, u == 2 ? 0 : 32});
  const TempDir dir;
  const SafetensorsFile file = Written(dir, info, plan);
  const auto& tensors = file.tensors();
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

TEST(ArtifactSize, IsThatOfTheFilesReallyWritten) {
  std::mt19937 random(2);
  for (int round = 0; round < 40; ++round) {
    const v1::ModelInfo info =
        SampleInfo(1 + static_cast<int>(random() % 3), 64, round % 2 ? 96 : 50, round % 3 ? "BF16" : "F32");
    const v1::Plan plan = RandomPlan(info, random);
    const v1::Candidate candidate = RandomCandidate(random);
    const v1::Selection selection = RandomSelection(random);
    const v1::CardFacts card = RandomCard(info, random);
    const TargetModel model = SampleModel(info);
    const TempDir dir;
    WriteArtifact(dir, model, plan, {candidate, selection, card});
    ASSERT_OK_AND_ASSIGN(const SizeParts size,
                         ArtifactSize(CompressedTensors(), model, info.targets(0), plan, {candidate, selection, card}));
    EXPECT_EQ(size.total(), BytesOnDisk(dir)) << "round " << round;
  }
}

// Which programs load an artifact follows from its plan and the shapes of the model, by their profiles.
TEST(Consumers, AreNamedByRule) {
  std::mt19937 random(4);
  const auto card_of = [&](const v1::ModelInfo& info, const std::vector<std::string>& formats) {
    v1::Plan plan = RandomPlan(info, random);
    for (int u = 0; u < plan.units_size(); ++u) {
      const auto format = ParseFormat(formats[static_cast<size_t>(u) % formats.size()]);
      *plan.mutable_units(u)->mutable_format() = ToProto(*format);
    }
    const auto texts = WrittenFiles(CompressedTensors(), SampleModel(info), info.targets(0), plan,
                                    {RandomCandidate(random), RandomSelection(random), RandomCard(info, random)});
    return texts.ok() ? texts->at("README.md") : texts.status().ToString();
  };
  const v1::ModelInfo info = SampleInfo(1, 128, 128);
  const std::string both = card_of(info, {"int4-g64", "int8-g64", "nvfp4"});
  EXPECT_NE(both.find("vLLM with its Marlin kernels:\n\n```\nvllm serve"), std::string::npos) << both;
  EXPECT_NE(both.find("AutoModelForCausalLM.from_pretrained"), std::string::npos);
  const std::string mixed = card_of(info, {"int3-g64", "int4-g64", "mxfp6"});
  EXPECT_EQ(mixed.find("vllm serve"), std::string::npos);
  EXPECT_NE(mixed.find("vLLM with its Marlin kernels does not load it: it has no int3-g64, mxfp6."), std::string::npos)
      << mixed;
  EXPECT_NE(mixed.find("AutoModelForCausalLM.from_pretrained"), std::string::npos);
  const std::string narrow = card_of(SampleInfo(1, 64, 128), {"int4-g64", "int8-g64"});
  EXPECT_NE(narrow.find("does not load it: the inputs of 'model.layers.0.unit_0', 64, are no multiple of 128."),
            std::string::npos)
      << narrow;
}

// Some take one format for all units: a plan of two is none for them, and neither is what they have no format for.
TEST(Consumers, MayTakeOneFormatForAllUnits) {
  const v1::ModelInfo info = SampleInfo(1, 128, 128);
  const v1::TargetInfo described = DescribeTarget(Gptq(), SampleModel(info));
  std::mt19937 random(4);
  const auto verdict_on = [&](const std::vector<std::string>& formats) {
    v1::Plan plan = RandomPlan(info, random);
    for (int u = 0; u < plan.units_size(); ++u) {
      *plan.mutable_units(u)->mutable_format() =
          ToProto(*ParseFormat(formats[static_cast<size_t>(u) % formats.size()]));
    }
    std::map<std::string, std::string> verdicts;
    for (const v1::ConsumerVerdict& verdict : VerdictsOn(plan, described)) {
      verdicts[verdict.name()] = verdict.loads() ? "loads" : verdict.reason();
    }
    return verdicts;
  };
  EXPECT_EQ(verdict_on({"int4-g64-f16"}),
            (std::map<std::string, std::string>{{"gptqmodel", "loads"}, {"transformers", "loads"}, {"vllm", "loads"}}));
  const auto two = verdict_on({"int4-g64-f16", "int8-g64-f16"});
  EXPECT_EQ(two.at("gptqmodel"), "loads");
  EXPECT_EQ(two.at("vllm"), "loads");
  EXPECT_EQ(two.at("transformers"), "it takes one format for all units");
  EXPECT_EQ(verdict_on({"int4-g64-f16", "unquantized"}).at("transformers"), "it has no unquantized");
}

// Small floats that the program widens to bfloat16 are of no use beside weights of another type.
TEST(Consumers, MayLoadAFormatInModelsOfBfloat16Alone) {
  const auto loads = [](const v1::ModelInfo& info, const std::string& format) {
    const v1::TargetInfo described = DescribeTarget(CompressedTensors(), SampleModel(info));
    for (const v1::ConsumerInfo& consumer : described.consumers()) {
      if (consumer.name() == "transformers") return std::ranges::count(consumer.formats(), format) > 0;
    }
    return false;
  };
  for (const char* dtype : {"BF16", "F16", "F32"}) {
    const v1::ModelInfo info = SampleInfo(1, 128, 128, dtype);
    for (const char* format : {"mxfp4", "nvfp4", "mxfp6", "mxfp8"}) {
      EXPECT_EQ(loads(info, format), info.dtype() == "BF16") << dtype << " " << format;
    }
    EXPECT_TRUE(loads(info, "int4-g64"));
    EXPECT_TRUE(loads(info, "fp8-channel"));
  }
}

TEST(Consumers, EveryProfileIsOfATargetAndHasItsSource) {
  size_t profiles = 0;
  for (const Target* target : Targets()) {
    for (const v1::ConsumerProfile& profile : ProfilesOf(*target)) {
      ++profiles;
      EXPECT_NE(profile.source(), "") << profile.name();
      EXPECT_NE(profile.usage(), "") << profile.name();
      for (const std::string& name : profile.formats()) {
        ASSERT_OK_AND_ASSIGN(const Format format, ParseFormat(name));
        EXPECT_EQ(std::ranges::count(target->formats(), format), 1) << profile.name() << " " << name;
      }
    }
  }
  EXPECT_EQ(profiles, ConsumerTexts().size());
}

TEST(DescribeTarget, BoundsTheOverheadOfEveryArtifact) {
  constexpr int64_t kWidths[] = {32, 50, 64, 96, 128, 256, 4096};
  std::mt19937 random(3);
  for (int round = 0; round < 1500; ++round) {
    const int blocks = 1 + static_cast<int>(random() % (round % 50 ? 6 : 40));
    const v1::ModelInfo info =
        SampleInfo(blocks, kWidths[random() % std::size(kWidths)], kWidths[random() % std::size(kWidths)]);
    const v1::Plan plan = RandomPlan(info, random);
    TargetModel model = SampleModel(info);
    model.carried = {{"tokenizer.json", static_cast<int64_t>(random() % 100000)}};
    const v1::TargetInfo described = DescribeTarget(CompressedTensors(), model);
    ASSERT_OK_AND_ASSIGN(const SizeParts size,
                         ArtifactSize(CompressedTensors(), model, described, plan,
                                      {RandomCandidate(random), RandomSelection(random), RandomCard(info, random)}));
    const int64_t overhead = size.total() - plan.weight_bytes() - described.kept_bytes();
    ASSERT_LE(overhead, described.overhead_bytes()) << "round " << round << ", blocks " << blocks;
    // Useful, too: what a job may lose to it is small. Names and numbers here are as long as they may be.
    EXPECT_LT(described.overhead_bytes() - overhead, 33000 + 600 * blocks)
        << "round " << round << ", blocks " << blocks;
  }
}

TEST(CompressedTensors, ConfigThatIsNoObjectIsRefused) {
  const v1::ModelInfo info = SampleInfo(1, 64, 64);
  std::mt19937 random(4);
  const v1::Plan plan = RandomPlan(info, random);
  for (const char* text : {"", "[]", "1", "{", "{\"a\":\"\xff\"}"}) {
    TargetModel model = SampleModel(info);
    model.texts["config.json"] = text;
    EXPECT_THAT(CompressedTensors().OwnFiles(model, plan), HasReason("CONFIG_INVALID")) << text;
  }
}

TEST(CompressedTensors, ConfigSaysWhatTheArtifactIs) {
  v1::ModelInfo info = SampleInfo(1, 64, 64);
  info.set_family("llama");
  std::mt19937 random(5);
  const v1::Plan plan = RandomPlan(info, random);
  const auto config = [&](const char* text) {
    TargetModel model = SampleModel(info);
    model.texts["config.json"] = text;
    const auto written = CompressedTensors().OwnFiles(model, plan);
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

TEST(CompressedTensors, RefusesMatricesThatTheCheckpointStoresTransposed) {
  v1::ModelInfo info = SampleInfo(1, 64, 64);
  info.mutable_units(1)->set_transposed(true);
  const v1::TargetInfo described = DescribeTarget(CompressedTensors(), SampleModel(info));
  EXPECT_THAT(FromProto(described.refusal()), HasReason("TARGET_CANNOT_STORE"));
  EXPECT_EQ(described.units_size(), 0);
}

// The contract names what the workers have, for clients that ask before they upload.
TEST(Targets, AreThoseOfTheContractWithTheirFormats) {
  ASSERT_EQ(Targets().size(), std::size(kTargets));
  for (size_t t = 0; t < Targets().size(); ++t) {
    EXPECT_EQ(Targets()[t]->name(), kTargets[t].name);
    std::vector<std::string> ours, theirs(kTargets[t].formats.begin(), kTargets[t].formats.end());
    for (const Format& format : Targets()[t]->formats()) ours.push_back(FormatName(format));
    EXPECT_EQ(ours, theirs) << kTargets[t].name;
    std::vector<std::string> profiles, named(kTargets[t].consumers.begin(), kTargets[t].consumers.end());
    for (const v1::ConsumerProfile& profile : ProfilesOf(*Targets()[t])) profiles.push_back(profile.name());
    EXPECT_EQ(profiles, named) << kTargets[t].name;
  }
}

TEST(Targets, AreFoundByName) {
  ASSERT_OK_AND_ASSIGN(const Target* first, FindTarget(""));
  EXPECT_EQ(first->name(), "compressed-tensors");
  ASSERT_OK_AND_ASSIGN(const Target* gguf, FindTarget("gguf"));
  EXPECT_EQ(gguf->name(), "gguf");
  EXPECT_THAT(FindTarget("GGUF"), HasReason("TARGET_UNKNOWN"));
}

TEST(Sha256Sums, IsWhatSha256sumChecks) {
  EXPECT_EQ(Sha256Sums({{"b/c", "11"}, {"a", "00"}}), "00  a\n11  b/c\n");
  EXPECT_EQ(Sha256Sums({}), "");
}

TEST(FormatMessages, EveryKindComesBack) {
  for (const char* name : {"int4-g128", "int8-g32-asym", "int4-g64-f16", "int8-channel-a8", "Q4_K", "nvfp4",
                           "unquantized", "nf4-g64", "nf4-channel", "kmeans3-g128"}) {
    ASSERT_OK_AND_ASSIGN(const Format format, ParseFormat(name));
    ASSERT_OK_AND_ASSIGN(const Format back, FormatOf(ToProto(format)));
    EXPECT_EQ(FormatName(back), name);
  }
  v1::Format message;
  message.mutable_codebook()->set_bits(4);
  EXPECT_THAT(FormatOf(message), HasReason("FORMAT_UNKNOWN"));
  message.mutable_codebook()->set_type(v1::CodebookFormat::NF4);
  message.mutable_codebook()->set_bits(3);
  EXPECT_THAT(FormatOf(message), HasReason("FORMAT_UNKNOWN"));
}

}  // namespace
}  // namespace bitwright::worker
