#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "proto/contract/digest.h"
#include "proto/contract/task_names.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tasks/task_chain.h"
#include "workers/base/files.h"
#include "workers/checkpoint/gguf.h"
#include "workers/checkpoint/safetensors.h"
#include "workers/targets/format_messages.h"
#include "workers/targets/gguf_source.h"

// The chain of tasks of a job for target gguf, whose plans hold the ends of the model as well.
namespace bitwright::worker {
namespace {

constexpr char kGguf[] = "gguf";

const Chain& Whole() {
  static const Chain chain = RunChain(1, kGguf);
  return chain;
}

template <typename Proto>
Proto Output(const std::string& name) {
  return OutputIn<Proto>(Whole(), name);
}

TEST(GgufChain, NumberOfThreadsChangesNoBit) {
  const Chain three = RunChain(3, kGguf);
  ASSERT_EQ(Whole().outputs.size(), three.outputs.size());
  for (const auto& [name, bytes] : Whole().outputs) EXPECT_TRUE(three.outputs.at(name) == bytes) << name << " differs";
}

TEST(GgufChain, APartOfTheModelIsEnoughForEveryTask) {
  const auto info = Output<v1::ModelInfo>(OutputOf(TaskKind::kInspect, TaskFile::kInfo));
  for (const ChainTask& task : Whole().tasks) {
    if (task.spec.has_inspect() || !task.inputs.contains("model/model.safetensors")) continue;
    ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnBlobs(task.spec, task.inputs, 2, &info));
    const bool ends = task.spec.profile().ends() || task.spec.quantize().ends();
    const std::string as = ends ? EndsOf(task.spec.kind()) : task.spec.kind();
    for (const auto& [name, bytes] : outputs) {
      EXPECT_TRUE(bytes == Whole().outputs.at(OutputOf(as, name))) << as << " " << name;
    }
  }
}

TEST(GgufChain, APlanHoldsBlocksAndTheEnds) {
  const auto info = Output<v1::ModelInfo>(OutputOf(TaskKind::kInspect, TaskFile::kInfo));
  ASSERT_EQ(info.targets_size(), 3);
  EXPECT_EQ(info.targets(0).units_size(), 8) << "compressed-tensors keeps the ends";
  const v1::TargetInfo& target = info.targets(1);
  ASSERT_EQ(target.units_size(), 9) << "the ends of this model are one tensor";
  EXPECT_EQ(info.units(8).name(), "model.embed_tokens");
  EXPECT_TRUE(info.units(8).embeds() && info.units(8).heads());
  EXPECT_EQ(target.kept_bytes(), 5 * 64 * 4) << "norms, as f32";
  EXPECT_EQ(target.quantized_weights(), info.targets(0).quantized_weights() + 384 * 64);
  const auto allocation = Output<v1::Allocation>(OutputOf(TaskKind::kAllocate, TaskFile::kAllocation));
  for (const v1::Plan& plan : allocation.candidates()) {
    ASSERT_EQ(plan.units_size(), 9);
    bool differ = false;
    for (const v1::UnitPlan& unit : plan.units()) {
      ASSERT_OK_AND_ASSIGN(const UnitFormats formats, UnitFormatsOf(unit.format()));
      for (const Format& format : formats.all()) EXPECT_TRUE(std::holds_alternative<BlockType>(format)) << unit.unit();
      differ = differ || formats.differ();
    }
    EXPECT_EQ(differ, plan.kind() == v1::PLAN_KIND_MIXED) << plan.name() << ": linears with formats of their own";
    EXPECT_GT(plan.units(8).predicted_loss(), 0);
  }
}

TEST(GgufChain, TheReportSaysWhatEveryByteIsFor) {
  const auto report = Output<v1::Report>(OutputOf(TaskKind::kReport, TaskFile::kReport));
  using Part = v1::SizePart;
  std::map<int, int64_t> bytes;
  int64_t all = 0;
  for (const Part& part : report.candidates(0).size()) {
    const bool coded = part.kind() == Part::WEIGHTS || part.kind() == Part::EMBEDDING;
    EXPECT_EQ(part.format().empty(), !coded) << part.ShortDebugString();
    bytes[part.kind()] += part.bytes();
    all += part.bytes();
  }
  EXPECT_EQ(all, report.artifact_bytes()) << "the files themselves";
  const v1::Plan plan = Output<v1::Allocation>(OutputOf(TaskKind::kAllocate, TaskFile::kAllocation)).candidates(0);
  EXPECT_EQ(bytes[Part::EMBEDDING], plan.units(8).bytes());
  EXPECT_EQ(bytes[Part::WEIGHTS], plan.weight_bytes() - plan.units(8).bytes());
  EXPECT_EQ(bytes[Part::KEPT], 5 * 64 * 4) << "norms, as f32";
  EXPECT_GT(bytes[Part::TOKENIZER], 384 * 9) << "a length and a character of every token, within the file";
  EXPECT_GT(bytes[Part::FRAME], 0);
}

TEST(GgufChain, TheArtifactIsWhatManifestReportAndSelectionSay) {
  const auto report = Output<v1::Report>(OutputOf(TaskKind::kReport, TaskFile::kReport));
  const auto manifest = Output<v1::Manifest>(OutputOf(TaskKind::kAssemble, TaskFile::kManifest));
  std::set<std::string> paths;
  int64_t bytes = 0;
  for (const v1::FileEntry& file : manifest.files()) {
    const std::string& content = Whole().outputs.at(OutputOf(TaskKind::kAssemble, ArtifactFileName(file.path())));
    EXPECT_EQ(file.digest().sha256(), Sha256Hex(content)) << file.path();
    paths.insert(file.path());
    bytes += file.digest().size_bytes();
  }
  EXPECT_EQ(paths, (std::set<std::string>{"README.md", "SHA256SUMS", "model.gguf", "plan.json"}));
  EXPECT_EQ(report.artifact_bytes(), bytes);
  ASSERT_EQ(report.candidates_size(), 1);
  EXPECT_EQ(report.candidates(0).artifact_bytes(), bytes) << "select must know the size before assemble";
  EXPECT_GT(report.candidates(0).kl_divergence().mean(), 0);
  EXPECT_EQ(report.target(), kGguf);
  ASSERT_EQ(report.units_size(), 9);
  for (const v1::Report::Unit& unit : report.units()) {
    EXPECT_GT(unit.options_size(), 1) << unit.name();
    ASSERT_OK_AND_ASSIGN(const UnitFormats formats, UnitFormats::Parse(unit.format()));
    std::vector<int64_t> bytes_of_whole;
    for (const Format& format : formats.all()) {
      const auto chosen = std::ranges::find(unit.options(), FormatName(format), &v1::Report::Unit::Option::format);
      ASSERT_NE(chosen, unit.options().end()) << unit.name();
      bytes_of_whole.push_back(chosen->bytes());
      if (formats.differ()) continue;
      EXPECT_EQ(chosen->loss(), unit.sensitivity()) << unit.name();
    }
    const auto [least, most] = std::ranges::minmax(bytes_of_whole);
    EXPECT_TRUE(least <= unit.bytes() && unit.bytes() <= most) << unit.name() << " in " << unit.format();
    EXPECT_EQ(least == most, !formats.differ()) << unit.name() << " in " << unit.format();
  }
  const auto allocation = Output<v1::Allocation>(OutputOf(TaskKind::kAllocate, TaskFile::kAllocation));
  EXPECT_LE(bytes, allocation.candidates(0).artifact_bytes()) << "the estimate is never below the real size";
}

// What was measured is what the file holds: the same blocks, in llama.cpp's order of rows.
TEST(GgufChain, TheFileHoldsTheBlocksThatWereMeasured) {
  const TempDir dir;
  const std::string path = dir / "model.gguf", weights = Numbered(TaskFile::kWeights, 0);
  BITWRIGHT_ASSERT_OK(
      WriteFile(path, Whole().outputs.at(OutputOf(TaskKind::kAssemble, ArtifactFileName("model.gguf")))));
  ASSERT_OK_AND_ASSIGN(const GgufFile file, GgufFile::Open(path, "model.gguf"));
  EXPECT_EQ(file.metadata().Text("general.architecture").value(), "llama");
  EXPECT_EQ(file.metadata().Text("general.name").value(), "small");
  EXPECT_EQ(file.tensors().size(), 1u + 1 + 2 * 9) << "the head is the embedding";
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "blocks", Whole().outputs.at(OutputOf(TaskKind::kQuantize, weights))));
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "ends", Whole().outputs.at(OutputOf(EndsOf(TaskKind::kQuantize), weights))));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile blocks, SafetensorsFile::Open(dir / "blocks", "blocks"));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile ends, SafetensorsFile::Open(dir / "ends", "ends"));
  const auto rounded = [&](const SafetensorsFile& from, const std::string& linear) {
    return from.tensors().at(linear + ".weight_blocks");
  };
  ASSERT_OK_AND_ASSIGN(const GgufTensor embedding, file.Find("token_embd.weight"));
  EXPECT_TRUE(std::ranges::equal(embedding.bytes, rounded(ends, "model.embed_tokens").bytes));
  ASSERT_OK_AND_ASSIGN(const GgufTensor down, file.Find("blk.1.ffn_down.weight"));
  EXPECT_TRUE(std::ranges::equal(down.bytes, rounded(blocks, "model.layers.1.mlp.down_proj").bytes));
  ASSERT_OK_AND_ASSIGN(const GgufTensor k, file.Find("blk.0.attn_k.weight"));
  const TensorView of_k = rounded(blocks, "model.layers.0.self_attn.k_proj");
  ASSERT_EQ(k.bytes.size(), of_k.bytes.size());
  const auto row_bytes = static_cast<size_t>(of_k.shape[1]);
  for (int64_t row = 0; row < of_k.shape[0]; ++row) {
    const auto at = [&](std::span<const std::byte> from, int64_t r) {
      return from.subspan(static_cast<size_t>(r) * row_bytes, row_bytes);
    };
    EXPECT_TRUE(std::ranges::equal(at(k.bytes, row), at(of_k.bytes, SourceRow(row, 16)))) << row;
  }
}

TEST(GgufChain, EveryMissingOrDamagedInputIsTheTasksOwnError) {
  for (const ChainTask& task : Whole().tasks) {
    if (!task.spec.profile().ends() && !task.spec.quantize().ends() && !task.spec.has_assemble()) continue;
    for (const auto& [name, bytes] : task.inputs) {
      if (name == ModelFileName("tokenizer.json")) continue;  // read by assemble alone
      Blobs inputs = task.inputs;
      inputs.erase(name);
      EXPECT_THAT(RunOnBlobs(task.spec, inputs), StatusIs(absl::StatusCode::kInvalidArgument))
          << task.spec.kind() << " without " << name;
      for (const size_t size : {size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
        inputs = task.inputs;
        inputs[name].resize(size);
        EXPECT_THAT(RunOnBlobs(task.spec, inputs), StatusIs(absl::StatusCode::kInvalidArgument))
            << task.spec.kind() << ", " << name << " cut to " << size << " of " << bytes.size();
      }
    }
  }
}

TEST(GgufChain, EndsAreRoundedToBlocksAlone) {
  for (ChainTask task : Whole().tasks) {
    if (!task.spec.quantize().ends()) continue;
    v1::Format& format = *task.spec.mutable_quantize()->mutable_units(0)->mutable_formats(0);
    format.mutable_integer()->set_bits(4);
    format.mutable_integer()->set_group_size(32);
    EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("PLAN_INVALID"));
  }
}

TEST(GgufChain, AUnitHasOneFormatOrOneForEachOfItsLinears) {
  for (ChainTask task : Whole().tasks) {
    if (!task.spec.has_quantize() || task.spec.quantize().ends()) continue;
    v1::QuantizeParams::Unit& unit = *task.spec.mutable_quantize()->mutable_units(0);
    ASSERT_EQ(unit.name(), "model.layers.0.self_attn.qkv_proj");
    *unit.mutable_formats(0) = ToProto(UnitFormats({BlockType::kQ4_0, BlockType::kQ8_0}));
    EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("PLAN_INVALID")) << "it has three linears";
    *unit.mutable_formats(0) = ToProto(UnitFormats({BlockType::kQ4_0, BlockType::kQ8_0, BlockType::kQ4_1}));
    EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), IsOk());
    unit.mutable_formats(0)->mutable_linears()->mutable_formats(1)->mutable_linears();
    EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("TASK_SPEC_INVALID")) << "a list in a list";
  }
}

TEST(GgufChain, ATokenizerThatIsNoneIsRefusedByName) {
  v1::TaskSpec spec;
  spec.mutable_inspect();
  Blobs blobs = SmallModelBlobs();
  blobs[ModelFileName("tokenizer.json")] = "{}";
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnBlobs(spec, blobs));
  v1::ModelInfo info;
  ASSERT_TRUE(info.ParseFromString(outputs.at(TaskFile::kInfo)));
  EXPECT_FALSE(info.targets(0).has_refusal());
  EXPECT_TRUE(info.targets(1).has_refusal());
  EXPECT_NE(info.targets(1).refusal().message(), "");
}

}  // namespace
}  // namespace bitwright::worker
