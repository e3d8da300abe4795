#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "proto/contract/digest.h"
#include "proto/contract/task_names.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tasks/task_chain.h"
#include "workers/base/files.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/kernels/device.h"
#include "workers/kernels/kernels_errors.h"

namespace bitwright::worker {
namespace {

const Chain& Whole() {
  static const Chain chain = RunChain(1);
  return chain;
}

template <typename Proto>
Proto Output(const std::string& name) {
  return OutputIn<Proto>(Whole(), name);
}

TEST(Chain, NumberOfThreadsChangesNoBit) {
  const Chain three = RunChain(3);
  ASSERT_EQ(Whole().outputs.size(), three.outputs.size());
  for (const auto& [name, bytes] : Whole().outputs) {
    ASSERT_TRUE(three.outputs.contains(name)) << name;
    EXPECT_TRUE(three.outputs.at(name) == bytes) << name << " differs";
  }
}

// What a worker without the server's disk has: the same bits come of it.
TEST(Chain, APartOfTheModelIsEnoughForEveryTask) {
  const auto info = Output<v1::ModelInfo>(OutputOf(TaskKind::kInspect, TaskFile::kInfo));
  int in_pieces = 0;
  for (const ChainTask& task : Whole().tasks) {
    if (task.spec.has_inspect() || !task.inputs.contains("model/model.safetensors")) continue;
    ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnBlobs(task.spec, task.inputs, 2, &info));
    for (const auto& [name, bytes] : outputs) {
      EXPECT_TRUE(bytes == Whole().outputs.at(OutputOf(task.spec.kind(), name))) << task.spec.kind() << " " << name;
    }
    ++in_pieces;
  }
  EXPECT_GE(in_pieces, 8);
}

TEST(Chain, APieceTooFewIsRefused) {
  using Piece = v1::ModelPiece;
  const auto info = Output<v1::ModelInfo>(OutputOf(TaskKind::kInspect, TaskFile::kInfo));
  EXPECT_GE(info.pieces_size(), 5);
  // The ends of this model are one tensor.
  for (const auto& parts :
       std::vector<std::set<int>>{{Piece::COMMON}, {Piece::EMBEDDING, Piece::HEAD}, {Piece::UNITS}, {Piece::KEPT}}) {
    auto fewer = info;
    auto& left = *fewer.mutable_pieces();
    left.erase(
        std::remove_if(left.begin(), left.end(), [&](const auto& piece) { return parts.contains(piece.part()); }),
        left.end());
    int refused = 0;
    for (const ChainTask& task : Whole().tasks) {
      if (task.spec.has_inspect() || !task.inputs.contains("model/model.safetensors")) continue;
      const auto run = RunOnBlobs(task.spec, task.inputs, 2, &fewer);
      if (run.ok()) continue;
      EXPECT_THAT(run, HasReason("TASK_SPEC_INVALID")) << task.spec.kind();
      ++refused;
    }
    EXPECT_GE(refused, 1) << *parts.begin();
  }
}

// Numeric tasks compute on the device that they are given, and its faults are the machine's; the others never ask for
// it.
TEST(Chain, NumericTasksComputeOnTheDeviceAndItsFaultsAreTheMachines) {
  const MakeDeviceFunction lost = [](ThreadPool&) -> absl::StatusOr<std::unique_ptr<Device>> {
    throw DeviceError("waiting for the device failed on CUDA device 0: cudaErrorECCUncorrectable");
  };
  const MakeDeviceFunction missing = [](ThreadPool&) -> absl::StatusOr<std::unique_ptr<Device>> {
    return DeviceUnavailableError("cuda:0", "there is no such card");
  };
  int on_device = 0;
  for (const ChainTask& task : Whole().tasks) {
    v1::TaskSpec spec = task.spec;
    spec.clear_compute_class();
    EXPECT_THAT(RunOnBlobs(spec, task.inputs, 2, nullptr, lost), IsOk()) << spec.kind();
    spec.set_compute_class("cuda-sm90-132");
    const auto run = RunOnBlobs(spec, task.inputs, 2, nullptr, lost);
    if (run.ok()) continue;
    EXPECT_THAT(run, StatusIs(absl::StatusCode::kUnavailable)) << spec.kind();
    EXPECT_THAT(run, HasReason("DEVICE_FAILED")) << spec.kind();
    EXPECT_NE(run.status().message().find("cudaErrorECCUncorrectable"), std::string::npos);
    EXPECT_THAT(RunOnBlobs(spec, task.inputs, 2, nullptr, missing), HasReason("DEVICE_FAILED"));
    ++on_device;
  }
  EXPECT_GE(on_device, 8);
}

TEST(Chain, EveryKindTakesPart) {
  std::vector<std::string> kinds;
  for (const ChainTask& task : Whole().tasks) kinds.push_back(task.spec.kind());
  EXPECT_EQ(kinds, (std::vector<std::string>{
                       TaskKind::kInspect,  TaskKind::kTokenize,  TaskKind::kReference, TaskKind::kCalibrate,
                       TaskKind::kMerge,    TaskKind::kCurvature, TaskKind::kProfile,   TaskKind::kCheck,
                       TaskKind::kAllocate, TaskKind::kQuantize,  TaskKind::kEvaluate,  TaskKind::kChoose,
                       TaskKind::kProbe,    TaskKind::kSelect,    TaskKind::kAssemble,  TaskKind::kQuestions,
                       TaskKind::kScore,    TaskKind::kGrade,     TaskKind::kSample,    TaskKind::kReport}));
}

TEST(Chain, InspectCountsEveryByte) {
  const auto info = Output<v1::ModelInfo>(OutputOf(TaskKind::kInspect, TaskFile::kInfo));
  int64_t model_bytes = 0;
  for (const auto& [name, bytes] : SmallModelBlobs()) model_bytes += static_cast<int64_t>(bytes.size());
  EXPECT_EQ(info.model_bytes(), model_bytes);
  EXPECT_EQ(info.family(), "llama");
  EXPECT_EQ(info.dtype(), "BF16");
  // q 64·64, k and v 32·64 each, o 64·64, gate and up 96·64 each, down 64·96; two blocks.
  const int64_t block = 64 * 64 + 2 * 32 * 64 + 64 * 64 + 2 * 96 * 64 + 64 * 96;
  ASSERT_EQ(info.targets_size(), 3);
  const v1::TargetInfo& target = info.targets(0);
  EXPECT_EQ(target.target(), "compressed-tensors");
  EXPECT_EQ(target.quantized_weights(), 2 * block);
  const int64_t kept = 384 * 64 + 5 * 64;
  EXPECT_EQ(target.kept_bytes(), 2 * kept);
  EXPECT_EQ(info.parameters(), 2 * block + kept);
  EXPECT_EQ(info.tensor_bytes(), 2 * (2 * block + kept));
  ASSERT_EQ(info.units_size(), 9) << "and the end of the model, which the first target keeps as it is";
  EXPECT_EQ(target.units_size(), 8);
  EXPECT_EQ(info.units(0).name(), "model.layers.0.self_attn.qkv_proj");
  EXPECT_EQ(info.units(0).linears_size(), 3);
  // int2-g32 of qkv: 128 rows of 64 inputs: 4 words and 2 bf16 scales each.
  EXPECT_EQ(target.units(0).options(0).bytes(), 128 * (4 * 4 + 2 * 2));
  EXPECT_EQ(info.tokenizer_path(), "tokenizer.json");
}

std::vector<std::string> ReasonsOf(const google::protobuf::RepeatedPtrField<v1::Notice>& notices) {
  std::vector<std::string> reasons;
  for (const v1::Notice& notice : notices) {
    EXPECT_NE(notice.message(), "") << notice.reason();
    reasons.push_back(notice.reason());
  }
  return reasons;
}

v1::ModelInfo InspectBlobs(const Blobs& blobs) {
  v1::TaskSpec spec;
  spec.mutable_inspect();
  v1::ModelInfo info;
  const auto outputs = RunOnBlobs(spec, blobs);
  EXPECT_TRUE(outputs.ok() && info.ParseFromString(outputs->at(TaskFile::kInfo))) << outputs.status();
  return info;
}

TEST(Chain, InspectLeavesOutWhatIsNotTheModel) {
  Blobs blobs = SmallModelBlobs();
  const v1::ModelInfo plain = InspectBlobs(blobs);
  EXPECT_EQ(ReasonsOf(plain.notices()), std::vector<std::string>{});
  blobs[ModelFileName("consolidated.safetensors")] = blobs.at(ModelFileName("model.safetensors"));
  blobs[ModelFileName("checkpoint-5/model.safetensors")] = "no checkpoint at all";
  blobs[ModelFileName("pytorch_model.bin")] = "PK";
  v1::ModelInfo info = InspectBlobs(blobs);
  EXPECT_EQ(ReasonsOf(info.notices()), std::vector<std::string>{"FILES_LEFT_OUT"});
  info.clear_notices();
  EXPECT_EQ(info.SerializeAsString(), plain.SerializeAsString());
}

TEST(Chain, InspectNamesWhatTheFolderIs) {
  v1::TaskSpec spec;
  spec.mutable_inspect();
  Blobs blobs = SmallModelBlobs();
  blobs[ModelFileName("model.safetensors")] = "version https://git-lfs.github.com/spec/v1\noid sha256:00\n";
  EXPECT_THAT(RunOnBlobs(spec, blobs), HasReason("FILE_IS_LFS_POINTER"));
}

TEST(Chain, TheReportRepeatsNoticesAndNames) {
  const auto report = Output<v1::Report>(OutputOf(TaskKind::kReport, TaskFile::kReport));
  ASSERT_EQ(report.notices_size(), 1);
  EXPECT_EQ(report.notices(0).reason(), "TEXTS_OVERLAP");
  EXPECT_EQ(report.job_display_name(), "a job");
  EXPECT_THAT(report.calibration_names(), testing::ElementsAre("books"));
  EXPECT_THAT(report.evaluation_names(), testing::ElementsAre("news"));
}

TEST(Chain, TheReportSaysWhatEveryByteIsFor) {
  const auto report = Output<v1::Report>(OutputOf(TaskKind::kReport, TaskFile::kReport));
  using Part = v1::SizePart;
  std::map<int, int64_t> bytes;
  int64_t all = 0;
  for (const Part& part : report.candidates(0).size()) {
    bytes[part.kind()] += part.bytes();
    all += part.bytes();
  }
  EXPECT_EQ(all, report.artifact_bytes()) << "the files themselves";
  const auto allocation = Output<v1::Allocation>(OutputOf(TaskKind::kAllocate, TaskFile::kAllocation));
  // Besides codes and scales, a shape of two numbers for each linear.
  EXPECT_EQ(bytes[Part::WEIGHTS], allocation.candidates(0).weight_bytes() + 2 * 7 * 16);
  EXPECT_EQ(bytes[Part::EMBEDDING], 2 * 384 * 64) << "and the head, which is the same tensor";
  EXPECT_EQ(bytes[Part::HEAD], 0);
  EXPECT_EQ(bytes[Part::KEPT], 2 * 5 * 64) << "norms";
  EXPECT_EQ(bytes[Part::TOKENIZER], static_cast<int64_t>(SmallModelBlobs().at("model/tokenizer.json").size()));
  EXPECT_GT(bytes[Part::FRAME], 0);
}

// Of all texts together the numbers are those of their tokens side by side, whatever the texts are called.
TEST(Chain, EveryTextIsMeasuredByItselfAndAllTogether) {
  const auto task = std::ranges::find_if(Whole().tasks, [](const ChainTask& t) { return t.spec.has_select(); });
  v1::TaskSpec spec = task->spec;
  Blobs inputs = task->inputs;
  const std::string tokens = Numbered(TaskFile::kTokens, 0, 0);
  // The second half of the windows, as a text of its own: what evaluate would have made of it.
  const auto evaluate = std::ranges::find_if(Whole().tasks, [](const ChainTask& t) { return t.spec.has_evaluate(); });
  const auto part = [&](int begin, int end) {
    v1::TaskSpec reference;
    *reference.mutable_reference() = std::ranges::find_if(Whole().tasks, [](const ChainTask& t) {
                                       return t.spec.has_reference();
                                     })->spec.reference();
    reference.mutable_reference()->mutable_windows()->set_begin(begin);
    reference.mutable_reference()->mutable_windows()->set_end(end);
    Blobs model = SmallModelBlobs();
    model[TaskFile::kIds] = evaluate->inputs.at(TaskFile::kIds);
    const auto hidden = RunOnBlobs(reference, model);
    EXPECT_THAT(hidden, IsOk());
    v1::TaskSpec measured = evaluate->spec;
    *measured.mutable_evaluate()->mutable_windows() = reference.reference().windows();
    Blobs from = evaluate->inputs;
    from[TaskFile::kHidden] = hidden->at(TaskFile::kHidden);
    const auto outputs = RunOnBlobs(measured, from);
    EXPECT_THAT(outputs, IsOk());
    return outputs->at(TaskFile::kTokens);
  };
  inputs[tokens] = part(0, 1);
  inputs[Numbered(TaskFile::kTokens, 0, 1)] = part(1, 4);
  spec.mutable_select()->set_shards(2);
  spec.mutable_select()->add_text_shards(1);
  spec.mutable_select()->add_text_shards(1);
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnBlobs(spec, inputs));
  v1::Selection two;
  ASSERT_TRUE(two.ParseFromString(outputs.at(TaskFile::kSelection)));
  const auto one = Output<v1::Selection>(OutputOf(TaskKind::kSelect, TaskFile::kSelection));
  ASSERT_EQ(one.texts_size(), 1);
  ASSERT_EQ(two.texts_size(), 2);
  EXPECT_EQ(two.texts(0).scored_tokens(), 15);
  EXPECT_EQ(two.texts(1).scored_tokens(), 45);
  EXPECT_EQ(two.scored_tokens(), 60);
  const v1::Candidate &whole = one.candidates(0), &joined = two.candidates(0);
  EXPECT_EQ(joined.kl_divergence().SerializeAsString(), whole.kl_divergence().SerializeAsString());
  EXPECT_EQ(joined.probability_change().SerializeAsString(), whole.probability_change().SerializeAsString());
  EXPECT_EQ(joined.perplexity(), whole.perplexity());
  ASSERT_EQ(joined.texts_size(), 2);
  EXPECT_NEAR((joined.texts(0).mean_nll() + 3 * joined.texts(1).mean_nll()) / 4, whole.mean_nll(), 1e-12);
  EXPECT_NEAR((joined.texts(0).kl_divergence().mean() + 3 * joined.texts(1).kl_divergence().mean()) / 4,
              whole.kl_divergence().mean(), 1e-12);
  EXPECT_EQ(joined.texts(0).kl_divergence().standard_error(), 0) << "one window";
  EXPECT_GT(joined.texts(1).kl_divergence().standard_error(), 0);
  EXPECT_EQ(one.candidates(0).texts(0).kl_divergence().SerializeAsString(), whole.kl_divergence().SerializeAsString());
  spec.mutable_select()->set_text_shards(1, 2);
  EXPECT_THAT(RunOnBlobs(spec, inputs), HasReason("TASK_SPEC_INVALID")) << "more shards than there are";
}

// Statistics of moments in the place of those of factors.
Blobs WithMoments(Blobs inputs, const Blobs& moments) {
  if (inputs.contains(TaskFile::kStatistics)) inputs[TaskFile::kStatistics] = moments.at(TaskFile::kStatistics);
  return inputs;
}

// The first task of a kind with its inputs.
const ChainTask& TaskOf(const std::string& kind) {
  return *std::find_if(Whole().tasks.begin(), Whole().tasks.end(),
                       [&](const ChainTask& task) { return task.spec.kind() == kind; });
}

Blobs MergedMoments() {
  v1::TaskSpec merge = TaskOf(TaskKind::kMerge).spec;
  merge.mutable_merge()->clear_factoring();
  const auto merged = RunOnBlobs(merge, TaskOf(TaskKind::kMerge).inputs);
  EXPECT_THAT(merged, IsOk());
  return *merged;
}

// A factor is computed once and read by every task that rounds: the same bits as when each makes it of H.
TEST(Chain, ByFactorsOrByMomentsTheResultsAreTheSame) {
  const Blobs moments = MergedMoments();
  EXPECT_NE(moments.at(TaskFile::kStatistics), Whole().outputs.at(OutputOf(TaskKind::kMerge, TaskFile::kStatistics)));
  for (const char* kind : {TaskKind::kProfile, TaskKind::kCheck, TaskKind::kQuantize}) {
    const ChainTask& task = TaskOf(kind);
    ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnBlobs(task.spec, WithMoments(task.inputs, moments)));
    for (const auto& [name, bytes] : outputs) {
      EXPECT_TRUE(bytes == Whole().outputs.at(OutputOf(kind, name))) << kind << " " << name;
    }
  }
}

TEST(Chain, CalibrationOfAllWindowsAtOnceGivesTheFactorsItself) {
  const ChainTask& calibrate = TaskOf(TaskKind::kCalibrate);
  v1::TaskSpec factored = calibrate.spec;
  *factored.mutable_calibrate()->mutable_factoring() = TaskOf(TaskKind::kMerge).spec.merge().factoring();
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnBlobs(factored, calibrate.inputs));
  v1::TaskSpec merge = TaskOf(TaskKind::kMerge).spec;
  ASSERT_OK_AND_ASSIGN(
      const Blobs merged,
      RunOnBlobs(merge, {{Numbered(TaskFile::kStatistics, 0),
                          Whole().outputs.at(OutputOf(TaskKind::kCalibrate, TaskFile::kStatistics))}}));
  // A merge sorts its units by name.
  const TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "one", outputs.at(TaskFile::kStatistics)));
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "two", merged.at(TaskFile::kStatistics)));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile one, SafetensorsFile::Open(dir / "one", "one"));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile two, SafetensorsFile::Open(dir / "two", "two"));
  ASSERT_EQ(one.tensors().size(), 8u * 5);
  EXPECT_EQ(one.metadata(), two.metadata());
  for (const auto& [name, view] : one.tensors()) {
    EXPECT_TRUE(std::ranges::equal(view.bytes, two.tensors().at(name).bytes)) << name;
  }
}

TEST(Chain, FactorsOfAnotherRecipeAreRefused) {
  ChainTask task = TaskOf(TaskKind::kQuantize);
  task.spec.mutable_quantize()->mutable_rounding()->set_damping(0.02);
  EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("STATISTICS_DAMAGED"));
  task = TaskOf(TaskKind::kQuantize);
  task.spec.mutable_quantize()->mutable_rounding()->set_act_order(true);
  EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("STATISTICS_DAMAGED"));
  task.spec.mutable_quantize()->mutable_rounding()->set_method(v1::ROUNDING_METHOD_RTN);
  EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("STATISTICS_DAMAGED")) << "it needs H itself";
  EXPECT_THAT(RunOnBlobs(task.spec, WithMoments(task.inputs, MergedMoments())), IsOk());
}

TEST(Chain, MergingAShardWithItselfKeepsItsMeans) {
  const TempDir dir;
  BITWRIGHT_ASSERT_OK(
      WriteFile(dir / "one", Whole().outputs.at(OutputOf(TaskKind::kCalibrate, TaskFile::kStatistics))));
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "two", MergedMoments().at(TaskFile::kStatistics)));
  ASSERT_OK_AND_ASSIGN(const StatisticsFile one, StatisticsFile::Open(dir / "one"));
  ASSERT_OK_AND_ASSIGN(const StatisticsFile two, StatisticsFile::Open(dir / "two"));
  ASSERT_EQ(one.units(), two.units());
  EXPECT_EQ(one.units().size(), 8u);
  for (const std::string& unit : one.units()) {
    ASSERT_OK_AND_ASSIGN(const InputStatistics a, one.Read(unit));
    ASSERT_OK_AND_ASSIGN(const InputStatistics b, two.Read(unit));
    EXPECT_EQ(2 * a.rows, b.rows);
    for (int64_t i = 0; i < a.second_moment.size(); ++i) ASSERT_EQ(a.second_moment[i], b.second_moment[i]) << unit;
    EXPECT_EQ(a.columns, b.columns);
  }
}

TEST(Chain, TheArtifactIsWhatManifestReportAndSelectionSay) {
  const auto report = Output<v1::Report>(OutputOf(TaskKind::kReport, TaskFile::kReport));
  const auto manifest = Output<v1::Manifest>(OutputOf(TaskKind::kAssemble, TaskFile::kManifest));
  int64_t bytes = 0;
  for (const v1::FileEntry& file : manifest.files()) {
    const std::string& content = Whole().outputs.at(OutputOf(TaskKind::kAssemble, ArtifactFileName(file.path())));
    EXPECT_EQ(file.digest().sha256(), Sha256Hex(content)) << file.path();
    EXPECT_EQ(file.digest().size_bytes(), static_cast<int64_t>(content.size())) << file.path();
    bytes += file.digest().size_bytes();
    if (file.path() == "SHA256SUMS") continue;
    const std::string line = Sha256Hex(content) + "  " + file.path() + "\n";
    EXPECT_NE(Whole().outputs.at(OutputOf(TaskKind::kAssemble, ArtifactFileName("SHA256SUMS"))).find(line),
              std::string::npos)
        << file.path();
  }
  EXPECT_EQ(manifest.files_size(), 6) << "weights, config, card, plan, sums, tokenizer";
  EXPECT_EQ(report.artifact_bytes(), bytes);
  ASSERT_EQ(report.candidates_size(), 1);
  EXPECT_EQ(report.candidates(0).artifact_bytes(), bytes) << "select must know the size before assemble";
  EXPECT_LE(report.candidates(0).average_bits(), 4.4);
  EXPECT_GT(report.candidates(0).kl_divergence().mean(), 0);
  const auto allocation = Output<v1::Allocation>(OutputOf(TaskKind::kAllocate, TaskFile::kAllocation));
  EXPECT_LE(bytes, allocation.candidates(0).artifact_bytes()) << "the estimate is never below the real size";
}

// The first task of a kind, without one of its inputs or with it replaced.
TEST(Damage, EveryMissingInputIsTheTasksOwnError) {
  for (const ChainTask& task : Whole().tasks) {
    for (const auto& [name, bytes] : task.inputs) {
      // Not every file that a manifest holds is needed for every task.
      if (name == ModelFileName("tokenizer.json")) continue;
      if (name.starts_with(NumberedPrefix(TaskFile::kStatistics))) continue;  // any number of shards is right
      if (name == TaskFile::kChoice) continue;                                // there need be none
      Blobs inputs = task.inputs;
      inputs.erase(name);
      const auto run = RunOnBlobs(task.spec, inputs);
      EXPECT_THAT(run, StatusIs(absl::StatusCode::kInvalidArgument)) << task.spec.kind() << " without " << name;
      EXPECT_NE(ErrorReason(run.status()), "") << task.spec.kind() << " without " << name;
    }
  }
}

TEST(Damage, EveryInputCutShortOrEmptyIsTheTasksOwnError) {
  for (const ChainTask& task : Whole().tasks) {
    for (const auto& [name, bytes] : task.inputs) {
      if (name == ModelFileName("tokenizer.json")) continue;  // only taken over
      for (const size_t size : {size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
        Blobs inputs = task.inputs;
        inputs[name].resize(size);
        const auto run = RunOnBlobs(task.spec, inputs);
        EXPECT_THAT(run, StatusIs(absl::StatusCode::kInvalidArgument))
            << task.spec.kind() << ", " << name << " cut to " << size << " of " << bytes.size();
        EXPECT_NE(ErrorReason(run.status()), "") << task.spec.kind() << ", " << name << " cut to " << size;
      }
    }
  }
}

TEST(Damage, BlocksBeyondTheModelAreNeitherReadNorComputed) {
  ChainTask task = TaskOf(TaskKind::kCalibrate);
  task.spec.mutable_calibrate()->mutable_blocks()->set_end(3);
  EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("TASK_SPEC_INVALID"));
  task = TaskOf(TaskKind::kProfile);
  task.spec.mutable_profile()->mutable_blocks()->set_end(3);
  EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("TASK_SPEC_INVALID"));
  task = TaskOf(TaskKind::kCurvature);
  task.spec.mutable_curvature()->mutable_blocks()->set_end(3);
  EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("TASK_SPEC_INVALID"));
  task = TaskOf(TaskKind::kQuantize);
  task.spec.mutable_quantize()->mutable_blocks()->set_end(3);
  EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("TASK_SPEC_INVALID"));
}

TEST(Damage, IdsOutsideTheVocabularyAreNotLookedUp) {
  for (const char* kind :
       {TaskKind::kReference, TaskKind::kCalibrate, TaskKind::kCurvature, TaskKind::kCheck, TaskKind::kEvaluate}) {
    for (const int32_t bad : {384, -1, 1 << 30}) {
      ChainTask task = TaskOf(kind);
      std::memcpy(task.inputs.at(TaskFile::kIds).data() + 4 * 37, &bad, sizeof bad);
      const auto run = RunOnBlobs(task.spec, task.inputs);
      ASSERT_THAT(run, HasReason("TOKEN_ID_OUT_OF_RANGE")) << kind;
      EXPECT_EQ(GetErrorDetail(run.status())->metadata.at("position"), "37") << kind;
    }
  }
}

TEST(Damage, ChecksNameUnitsOfTheirBlocksInOrder) {
  for (const auto& change : {+[](v1::CheckParams& params) { params.set_units(1, "model.layers.1.mlp.other_proj"); },
                             +[](v1::CheckParams& params) { params.mutable_units()->SwapElements(0, 1); },
                             +[](v1::CheckParams& params) { params.mutable_blocks()->set_end(1); }}) {
    ChainTask task = TaskOf(TaskKind::kCheck);
    change(*task.spec.mutable_check());
    const auto run = RunOnBlobs(task.spec, task.inputs);
    ASSERT_THAT(run, HasReason("TASK_SPEC_INVALID"));
    EXPECT_EQ(GetErrorDetail(run.status())->metadata.at("field"), "units");
  }
}

TEST(Damage, ChecksOfOtherUnitsMoveNoPlan) {
  ChainTask task = TaskOf(TaskKind::kAllocate);
  v1::Checks checks;
  ASSERT_TRUE(checks.ParseFromString(task.inputs.at(Numbered(TaskFile::kChecks, 0))));
  v1::Checks other = checks;
  other.mutable_units(0)->set_name("other");
  task.inputs[Numbered(TaskFile::kChecks, 0)] = other.SerializeAsString();
  EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("TASK_INPUT_DAMAGED"));
  other = checks;
  other.mutable_units(0)->mutable_measurements(0)->clear_format();
  task.inputs[Numbered(TaskFile::kChecks, 0)] = other.SerializeAsString();
  EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("TASK_INPUT_DAMAGED"));
}

TEST(Damage, AChoiceIsOfPlansThatWereMeasured) {
  for (const auto& [selected, best_uniform] : {std::pair{1, -1}, {-1, -1}, {0, 1}}) {
    ChainTask task = TaskOf(TaskKind::kSelect);
    v1::Choice choice;
    ASSERT_TRUE(choice.ParseFromString(task.inputs.at(TaskFile::kChoice)));
    choice.set_selected(selected);
    choice.set_best_uniform(best_uniform);
    task.inputs[TaskFile::kChoice] = choice.SerializeAsString();
    EXPECT_THAT(RunOnBlobs(task.spec, task.inputs), HasReason("TASK_INPUT_DAMAGED")) << selected;
  }
}

TEST(Damage, MergeOfNothing) {
  v1::TaskSpec spec;
  spec.mutable_merge();
  EXPECT_THAT(RunOnBlobs(spec, {}), HasReason("TASK_INPUT_MISSING"));
}

TEST(Damage, ATaskOfNoKind) {
  v1::TaskSpec spec;
  spec.set_kind("frobnicate");
  EXPECT_THAT(RunOnBlobs(spec, {}), HasReason("TASK_KIND_UNKNOWN"));
}

}  // namespace
}  // namespace bitwright::worker
