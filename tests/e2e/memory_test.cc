// What tasks are said to take of memory is what they take: every kind that computes, on models of two shapes, each task
// in a child of its own.
#include <google/protobuf/text_format.h>

#include <filesystem>

#include "proto/contract/live_set.h"
#include "proto/contract/task_names.h"
#include "tests/support/fixtures.h"
#include "tests/support/local_job.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/checkpoint/safetensors.h"
#include "workers/families/config.h"

namespace bitwright::worker {
namespace {

// The numbers are chosen so that most kinds take more than 256 MiB and none takes long.
constexpr char kDense[] = R"({
  "architectures": ["LlamaForCausalLM"], "hidden_size": 1536, "intermediate_size": 6144, "num_hidden_layers": 2,
  "num_attention_heads": 12, "num_key_value_heads": 4, "vocab_size": 32000, "max_position_embeddings": 2048,
  "rms_norm_eps": 1e-5, "tie_word_embeddings": false
})";
constexpr char kExperts[] = R"({
  "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_size": 1024, "intermediate_size": 2048,
  "moe_intermediate_size": 768, "num_hidden_layers": 2, "num_attention_heads": 8, "num_key_value_heads": 2,
  "head_dim": 128, "num_experts": 24, "num_experts_per_tok": 4, "norm_topk_prob": true, "decoder_sparse_step": 1,
  "mlp_only_layers": [], "vocab_size": 48000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6,
  "tie_word_embeddings": true
})";
constexpr int kWindow = 1024;
constexpr double kTolerance = 0.10;

class MemoryOf : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

// Adds a file that is an input of a task.
void AddInput(LocalJobs& jobs, const std::string& name, const std::string& path, v1::TaskSpec& spec) {
  v1::TaskInput& input = *spec.add_inputs();
  input.set_name(name);
  ASSERT_OK_AND_ASSIGN(*input.mutable_digest(), jobs.AddFile(path));
}

// What a task of its own takes, which must be near the estimate.
void ExpectNear(LocalJobs& jobs, const v1::TaskSpec& spec, int64_t estimate) {
  LocalJobs::StageTime time;
  BITWRIGHT_ASSERT_OK(jobs.RunOne(spec, estimate, time));
  std::printf("%-10s peak %7.1f MiB, estimate %7.1f MiB\n", spec.kind().c_str(),
              static_cast<double>(time.peak_bytes) / (1 << 20), static_cast<double>(estimate) / (1 << 20));
  EXPECT_GE(time.peak_bytes, LocalJobs::kMemoryThatCounts);
  EXPECT_NEAR(time.worst_ratio, 1, kTolerance) << spec.kind();
}

// Questions need a tokenizer, which these models lack: sequences of ids take their place.
void ExpectScoring(LocalJobs& jobs, const TempDir& dir, const ModelConfig& config, const v1::ModelInfo& info) {
  constexpr int kSequences = 8;
  v1::QuestionSet set;
  for (int s = 0; s < kSequences; ++s) {
    v1::QuestionSet::Sequence& sequence = *set.add_sequences();
    for (int t = 0; t <= kWindow; ++t) sequence.add_ids(static_cast<int32_t>((s * 977 + t * 31) % config.vocab));
    sequence.set_scored(5);
  }
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "questions", set.SerializeAsString()));
  v1::TaskSpec spec;
  spec.set_kind("score");
  spec.mutable_score()->mutable_sequences()->set_end(kSequences);
  spec.mutable_score()->set_window(kWindow);
  for (const std::string path : {"config.json", "model.safetensors"}) {
    AddInput(jobs, ModelFileName(path), dir / ("model/" + path), spec);
  }
  AddInput(jobs, TaskFile::kQuestions, dir / "questions", spec);
  ExpectNear(jobs, spec, LiveSets(info, {}).Score(kSequences, kWindow, v1::COMPUTE_TYPE_F32, 0).On(2));
}

TEST_P(MemoryOf, TasksTakeWhatTheyAreSaidToTake) {
  const TempDir dir;
  const std::string model_dir = dir / "model", jobs_dir = dir / "jobs";
  std::filesystem::create_directories(model_dir);
  std::filesystem::create_directories(jobs_dir);
  const std::string config = GetParam().second;
  BITWRIGHT_ASSERT_OK(WriteRandomModel(config, model_dir, 1));
  ASSERT_OK_AND_ASSIGN(const ModelConfig parsed, ParseModelConfig(config));
  ThreadPool pool(2);
  LocalJobs jobs(jobs_dir, pool, WORKER_BINARY);
  ASSERT_OK_AND_ASSIGN(const v1::Model model, jobs.AddModel(model_dir));
  ASSERT_OK_AND_ASSIGN(v1::Recipe recipe, ShippedRecipe("mixed-gptq"));
  v1::Recipe changes;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "sensitivity { windows: 4 checked_units: 2 } formats { bits: 3 bits: 4 group_sizes: 128 }", &changes));
  recipe.MergeFrom(changes);
  v1::JobSpec spec;
  spec.mutable_budget()->set_average_bits(4);
  for (const auto& [data, windows] : {std::pair{spec.add_calibration(), 4}, {spec.add_evaluation(), 4}}) {
    const std::string path = dir / "ids.jsonl";
    BITWRIGHT_ASSERT_OK(WriteRandomIds(path, parsed.vocab, windows, kWindow, 7));
    ASSERT_OK_AND_ASSIGN(*data->mutable_blob(), jobs.AddFile(path));
    data->set_kind(v1::Data::TOKEN_IDS_JSONL);
    data->set_window(kWindow);
    data->set_tokens(windows * kWindow);
  }
  spec.mutable_sample()->set_tokens(3);
  ASSERT_OK_AND_ASSIGN(const LocalJobs::Result result, jobs.Run(model, spec, recipe));
  int counted = 0;
  for (const auto& [kind, stage] : result.stages) {
    std::printf("%-10s peak %7.1f MiB, estimate %7.1f MiB, worst ratio %.3f\n", kind.c_str(),
                static_cast<double>(stage.peak_bytes) / (1 << 20),
                static_cast<double>(stage.estimate_bytes) / (1 << 20), stage.worst_ratio);
    if (stage.peak_bytes < LocalJobs::kMemoryThatCounts) {
      EXPECT_LE(stage.estimate_bytes, LocalJobs::kMemoryThatCounts * (1 + kTolerance)) << kind;
      continue;
    }
    ++counted;
    EXPECT_NEAR(stage.worst_ratio, 1, kTolerance) << kind;
  }
  EXPECT_GE(counted, 5);
  ExpectScoring(jobs, dir, parsed, model.info());
}

TEST(Memory, OfAMergeIsThatOfItsWidestInput) {
  const TempDir dir;
  ThreadPool pool(2);
  LocalJobs jobs(dir.path(), pool, WORKER_BINARY);
  constexpr int64_t kWide = 7168;
  v1::TaskSpec spec;
  spec.set_kind("merge");
  spec.mutable_merge()->mutable_factoring()->set_damping(0.01);
  v1::ModelInfo info;
  auto& linear = *info.add_units()->add_linears();
  linear.set_in_features(kWide);
  linear.set_out_features(1);
  for (int shard = 0; shard < 3; ++shard) {
    InputStatistics input{kWide, shard + 1, Buffer<float>(PackedTriangleSize(kWide))};
    std::fill_n(input.second_moment.data(), input.second_moment.size(), 0.5f);
    ASSERT_OK_AND_ASSIGN(StatisticsWriter writer, StatisticsWriter::Create(dir / "statistics", {{"unit", kWide}}));
    BITWRIGHT_ASSERT_OK(writer.Append(input));
    BITWRIGHT_ASSERT_OK(writer.Close());
    AddInput(jobs, Numbered(TaskFile::kStatistics, shard), dir / "statistics", spec);
  }
  ExpectNear(jobs, spec, LiveSets(info, {}).Merge().On(2));
}

// Weights stream through an import, however many they are.
TEST(Memory, OfAnImportIsThatOfAPieceOfATensor) {
  const TempDir dir;
  ThreadPool pool(2);
  LocalJobs jobs(dir.path(), pool, WORKER_BINARY);
  std::string config = kDense;
  config = config.substr(0, config.rfind('}')) +
           R"(,"quantization_config":{"quant_method":"fp8","weight_block_size":[128,128]}})";
  ASSERT_OK_AND_ASSIGN(const ModelConfig parsed, ParseModelConfig(kDense));
  std::vector<TensorDeclaration> declared;
  for (const TensorSpec& spec : RequiredTensors(parsed)) {
    const bool linear = spec.name.ends_with("_proj.weight");
    declared.push_back({spec.name, linear ? DType::kF8E4M3 : DType::kBF16, spec.shape});
    if (!linear) continue;
    declared.push_back({spec.name + "_scale_inv", DType::kF32, {spec.shape[0] / 128, spec.shape[1] / 128}});
  }
  ASSERT_OK_AND_ASSIGN(SafetensorsWriter writer, SafetensorsWriter::Create(dir / "weights", declared, {}));
  for (const TensorDeclaration& tensor : declared) {
    const int64_t rows = tensor.shape[0], columns = tensor.shape.size() > 1 ? tensor.shape[1] : 1;
    const std::vector<std::byte> zeros(static_cast<size_t>(rows * columns * ByteSize(tensor.dtype)));
    BITWRIGHT_ASSERT_OK(writer.Append(zeros.data(), zeros.size()));
  }
  BITWRIGHT_ASSERT_OK(writer.Close());
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "config", config));
  v1::TaskSpec spec;
  spec.set_kind("import");
  spec.mutable_import();
  AddInput(jobs, ModelFileName("config.json"), dir / "config", spec);
  AddInput(jobs, ModelFileName("model.safetensors"), dir / "weights", spec);
  LocalJobs::StageTime time;
  ASSERT_OK_AND_ASSIGN(const v1::TaskResult result, jobs.RunOne(spec, LiveSets::Import().On(2), time));
  int64_t written = 0;
  for (const v1::TaskOutput& output : result.outputs()) written += output.digest().size_bytes();
  std::printf("import     peak %7.1f MiB, estimate %7.1f MiB, of %.1f MiB\n",
              static_cast<double>(time.peak_bytes) / (1 << 20),
              static_cast<double>(LiveSets::Import().On(2)) / (1 << 20), static_cast<double>(written) / (1 << 20));
  EXPECT_GT(written, LiveSets::Import().On(2));
  EXPECT_LT(time.peak_bytes, LiveSets::Import().On(2) / 2) << "the tokens of a GGUF may take as much";
}

// A tokenizer that writes spaces as characters holds a copy of the text.
TEST(Memory, OfTokenizingIsThatOfTheTextAndItsCopy) {
  const TempDir dir;
  ThreadPool pool(2);
  LocalJobs jobs(dir.path(), pool, WORKER_BINARY);
  ASSERT_OK_AND_ASSIGN(const std::string prose, ReadFile(SourcePath("deploy/sample/calibration.txt")));
  std::string text;
  while (text.size() < size_t{160} << 20) text += prose;
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "text", text));
  v1::TaskSpec spec;
  spec.set_kind("tokenize");
  auto& params = *spec.mutable_tokenize();
  params.set_kind(v1::Data::TEXT);
  params.set_window(512);
  params.set_max_tokens(65536);
  params.set_vocab_size(1 << 20);
  AddInput(jobs, TaskFile::kData, dir / "text", spec);
  AddInput(jobs, ModelFileName("tokenizer.json"), SourcePath("tests/golden/tokenizer/llama2-like/tokenizer.json"),
           spec);
  ExpectNear(jobs, spec, LiveSets::Tokenize(static_cast<int64_t>(text.size())).On(2));
}

INSTANTIATE_TEST_SUITE_P(Shapes, MemoryOf,
                         ::testing::Values(std::pair{"dense", kDense}, std::pair{"experts", kExperts}),
                         [](const auto& info) { return std::string(info.param.first); });

}  // namespace
}  // namespace bitwright::worker
