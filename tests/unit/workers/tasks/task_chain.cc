#include "tests/unit/workers/tasks/task_chain.h"

#include "bitwright/v1/reports.pb.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "proto/contract/model_parts.h"
#include "proto/contract/task_names.h"
#include "tests/support/small_model.h"
#include "workers/base/files.h"
#include "workers/tasks/run_task.h"

namespace bitwright::worker {
namespace {

constexpr int kWindow = 16, kWindows = 4;

std::string SomeProvenance() {
  v1::Provenance provenance;
  provenance.add_tasks()->set_label("assemble");
  return provenance.SerializeAsString();
}

std::string IdLinesText() {
  std::string text;
  for (int w = 0; w < kWindows; ++w) {
    text += w == 0 ? "[" : "\n[";
    for (int t = 0; t < kWindow; ++t) text += (t ? "," : "") + std::to_string((w * 97 + t * t * 31 + t) % 384);
    text += "]";
  }
  return text;
}

v1::Recipe ChainRecipe() {
  v1::Recipe recipe;
  recipe.set_name("chain");
  recipe.mutable_rounding()->set_method(v1::ROUNDING_METHOD_GPTQ);
  recipe.mutable_sensitivity()->set_middle_bits(3);
  recipe.mutable_sensitivity()->add_checked_bits(2);
  recipe.mutable_sensitivity()->set_checked_units(2);
  for (const int bits : {2, 3, 4, 8}) recipe.mutable_formats()->add_bits(bits);
  recipe.mutable_candidates()->set_mixed(true);
  recipe.mutable_candidates()->set_uniform(1);
  return recipe;
}

class Builder {
 public:
  Builder(int threads, std::string target) : threads_(threads), target_(std::move(target)) {}

  const std::string& target() const { return target_; }
  bool ends() const { return target_ == "gguf"; }
  double bits() const { return ends() ? 5.6 : 4.4; }  // its smallest formats take 4.25 and more

  // Runs `spec` on model files where `model` says so and on the named earlier outputs (input name → "kind/output").
  // Outputs are kept under `as`, or the kind.
  void Run(v1::TaskSpec spec, bool model, const std::map<std::string, std::string>& from, const Blobs& more = {},
           std::string as = "") {
    if (as.empty()) as = spec.kind();
    Blobs inputs = more;
    if (model) inputs.insert(model_.begin(), model_.end());
    for (const auto& [input, output] : from) inputs[input] = chain_.outputs.at(output);
    const auto outputs = RunOnBlobs(spec, inputs, threads_);
    CHECK(outputs.ok()) << spec.kind() << ": " << outputs.status();
    for (const auto& [name, bytes] : *outputs) chain_.outputs[OutputOf(as, name)] = bytes;
    chain_.tasks.push_back({std::move(spec), std::move(inputs)});
  }

  template <typename Proto>
  Proto Output(const std::string& name) const {
    return OutputIn<Proto>(chain_, name);
  }

  Chain Take() { return std::move(chain_); }

 private:
  int threads_;
  std::string target_;
  Blobs model_ = SmallModelBlobs();
  Chain chain_;
};

v1::TaskSpec Spec(const std::string& kind) {
  v1::TaskSpec spec;
  spec.set_kind(kind);
  return spec;
}

template <typename Params>
void SetWindows(Params& params) {
  params.set_window(kWindow);
  params.mutable_windows()->set_end(kWindows);
}

void ProfileEnds(Builder& builder) {
  v1::TaskSpec spec = Spec(TaskKind::kProfile);
  spec.mutable_profile()->set_ends(true);
  spec.mutable_profile()->set_window(kWindow);
  spec.mutable_profile()->set_windows(kWindows);
  spec.mutable_profile()->set_target(builder.target());
  *spec.mutable_profile()->mutable_recipe() = ChainRecipe();
  builder.Run(spec, true,
              {{TaskFile::kIds, OutputOf(TaskKind::kTokenize, TaskFile::kIds)},
               {Numbered(TaskFile::kEnds, 0), OutputOf(TaskKind::kCurvature, TaskFile::kEnds)}},
              {}, EndsOf(TaskKind::kProfile));
}

// Units of the first plan, those of the blocks or the ends.
void AddUnits(const Builder& builder, bool ends, v1::QuantizeParams& params) {
  const auto info = builder.Output<v1::ModelInfo>(OutputOf(TaskKind::kInspect, TaskFile::kInfo));
  const auto allocation = builder.Output<v1::Allocation>(OutputOf(TaskKind::kAllocate, TaskFile::kAllocation));
  params.mutable_rounding()->set_method(v1::ROUNDING_METHOD_GPTQ);
  const v1::Plan& plan = allocation.candidates(0);
  for (int u = 0; u < plan.units_size(); ++u) {
    if ((info.units(u).block() < 0) != ends) continue;
    v1::QuantizeParams::Unit& to = *params.add_units();
    to.set_name(plan.units(u).unit());
    *to.add_formats() = plan.units(u).format();
  }
}

void QuantizeEnds(Builder& builder) {
  v1::TaskSpec spec = Spec(TaskKind::kQuantize);
  spec.mutable_quantize()->set_ends(true);
  AddUnits(builder, true, *spec.mutable_quantize());
  builder.Run(spec, true, {{Numbered(TaskFile::kEnds, 0), OutputOf(TaskKind::kCurvature, TaskFile::kEnds)}}, {},
              EndsOf(TaskKind::kQuantize));
}

// The weights of the first plan as inputs, with what else is read.
std::map<std::string, std::string> WithWeights(const Builder& builder, std::map<std::string, std::string> from) {
  const std::string weights = Numbered(TaskFile::kWeights, 0);
  from[weights] = OutputOf(TaskKind::kQuantize, weights);
  if (builder.ends()) from[Numbered(TaskFile::kWeights, 1)] = OutputOf(EndsOf(TaskKind::kQuantize), weights);
  return from;
}

void RunUpToAllocate(Builder& builder) {
  v1::TaskSpec spec = Spec(TaskKind::kInspect);
  spec.mutable_inspect();
  builder.Run(spec, true, {});
  spec = Spec(TaskKind::kTokenize);
  spec.mutable_tokenize()->set_kind(v1::Data::TOKEN_IDS_JSONL);
  spec.mutable_tokenize()->set_window(kWindow);
  spec.mutable_tokenize()->set_max_tokens(1000);
  spec.mutable_tokenize()->set_vocab_size(384);
  builder.Run(spec, false, {}, {{TaskFile::kData, IdLinesText()}});
  spec = Spec(TaskKind::kReference);
  SetWindows(*spec.mutable_reference());
  spec.mutable_reference()->mutable_blocks()->set_end(2);
  builder.Run(spec, true, {{TaskFile::kIds, OutputOf(TaskKind::kTokenize, TaskFile::kIds)}});
  spec = Spec(TaskKind::kCalibrate);
  SetWindows(*spec.mutable_calibrate());
  spec.mutable_calibrate()->mutable_blocks()->set_end(2);
  spec.mutable_calibrate()->set_last(true);
  builder.Run(spec, true, {{TaskFile::kIds, OutputOf(TaskKind::kTokenize, TaskFile::kIds)}});
  spec = Spec(TaskKind::kMerge);
  spec.mutable_merge()->mutable_factoring()->set_damping(0.01);
  builder.Run(spec, false,
              {{Numbered(TaskFile::kStatistics, 0), OutputOf(TaskKind::kCalibrate, TaskFile::kStatistics)},
               {Numbered(TaskFile::kStatistics, 1), OutputOf(TaskKind::kCalibrate, TaskFile::kStatistics)}});
  spec = Spec(TaskKind::kCurvature);
  SetWindows(*spec.mutable_curvature());
  spec.mutable_curvature()->mutable_blocks()->set_end(2);
  builder.Run(spec, true, {{TaskFile::kIds, OutputOf(TaskKind::kTokenize, TaskFile::kIds)}});
  spec = Spec(TaskKind::kProfile);
  spec.mutable_profile()->mutable_blocks()->set_end(2);
  *spec.mutable_profile()->mutable_recipe() = ChainRecipe();
  spec.mutable_profile()->set_target(builder.target());
  builder.Run(spec, true,
              {{TaskFile::kStatistics, OutputOf(TaskKind::kMerge, TaskFile::kStatistics)},
               {Numbered(TaskFile::kCurvature, 0), OutputOf(TaskKind::kCurvature, TaskFile::kCurvature)}});
  if (builder.ends()) ProfileEnds(builder);
  spec = Spec(TaskKind::kCheck);
  SetWindows(*spec.mutable_check());
  spec.mutable_check()->mutable_blocks()->set_end(2);
  *spec.mutable_check()->mutable_recipe() = ChainRecipe();
  spec.mutable_check()->add_units("model.layers.0.self_attn.qkv_proj");
  spec.mutable_check()->add_units("model.layers.1.mlp.down_proj");
  builder.Run(spec, true,
              {{TaskFile::kIds, OutputOf(TaskKind::kTokenize, TaskFile::kIds)},
               {TaskFile::kHidden, OutputOf(TaskKind::kReference, TaskFile::kHidden)},
               {TaskFile::kStatistics, OutputOf(TaskKind::kMerge, TaskFile::kStatistics)},
               {Numbered(TaskFile::kCurvature, 0), OutputOf(TaskKind::kCurvature, TaskFile::kCurvature)}});
  spec = Spec(TaskKind::kAllocate);
  spec.mutable_allocate()->mutable_budget()->set_average_bits(builder.bits());
  *spec.mutable_allocate()->mutable_recipe() = ChainRecipe();
  spec.mutable_allocate()->set_target(builder.target());
  std::map<std::string, std::string> from = {
      {TaskFile::kInfo, OutputOf(TaskKind::kInspect, TaskFile::kInfo)},
      {Numbered(TaskFile::kSensitivity, 0), OutputOf(TaskKind::kProfile, TaskFile::kSensitivity)},
      {Numbered(TaskFile::kChecks, 0), OutputOf(TaskKind::kCheck, TaskFile::kChecks)}};
  if (builder.ends()) {
    from[Numbered(TaskFile::kSensitivity, 1)] = OutputOf(EndsOf(TaskKind::kProfile), TaskFile::kSensitivity);
  }
  builder.Run(spec, false, from);
}

// Questions of ARC's fields, made up.
std::string QuestionLines() {
  std::string text;
  for (int q = 0; q < 5; ++q) {
    const std::string number = std::to_string(q);
    text += (q == 0 ? "" : "\n") + std::string(R"({"id": ")") + number +
            R"(", "question": "Which of these is number )" + number + R"(?", "choices": {"text": ["one", "two )" +
            number + R"(", "three of them"], "label": ["A", "B", "C"]}, )" + R"("answerKey": ")" + "ABC"[q % 3] + "\"}";
  }
  return text;
}

void Ask(Builder& builder) {
  v1::TaskSpec spec = Spec(TaskKind::kQuestions);
  spec.mutable_questions()->set_max_positions(128);
  spec.mutable_questions()->set_vocab_size(384);
  const std::string tokenizer = ModelFileName("tokenizer.json");
  builder.Run(spec, false, {}, {{TaskFile::kData, QuestionLines()}, {tokenizer, SmallModelBlobs().at(tokenizer)}});
  const auto summary = builder.Output<v1::QuestionsSummary>(OutputOf(TaskKind::kQuestions, TaskFile::kSummary));
  CHECK(summary.shards_size() == 1);
  spec = Spec(TaskKind::kScore);
  *spec.mutable_score()->mutable_sequences() = summary.shards(0).sequences();
  spec.mutable_score()->set_window(summary.shards(0).window());
  spec.mutable_score()->set_quantized(true);
  const std::string questions = OutputOf(TaskKind::kQuestions, TaskFile::kQuestions);
  builder.Run(spec, true, WithWeights(builder, {{TaskFile::kQuestions, questions}}));
  spec = Spec(TaskKind::kGrade);
  spec.mutable_grade()->set_shards(1);
  builder.Run(spec, false,
              {{TaskFile::kQuestions, questions},
               {Numbered(TaskFile::kScores, 0), OutputOf(TaskKind::kScore, TaskFile::kScores)}});
}

void Write(Builder& builder) {
  v1::TaskSpec spec = Spec(TaskKind::kSample);
  spec.mutable_sample()->set_prompt_tokens(40);
  spec.mutable_sample()->set_tokens(12);
  spec.mutable_sample()->set_quantized(true);
  builder.Run(spec, true, WithWeights(builder, {{TaskFile::kIds, OutputOf(TaskKind::kTokenize, TaskFile::kIds)}}));
}

void RunFromQuantize(Builder& builder) {
  v1::TaskSpec spec = Spec(TaskKind::kQuantize);
  spec.mutable_quantize()->mutable_blocks()->set_end(2);
  AddUnits(builder, false, *spec.mutable_quantize());
  builder.Run(spec, true, {{TaskFile::kStatistics, OutputOf(TaskKind::kMerge, TaskFile::kStatistics)}});
  if (builder.ends()) QuantizeEnds(builder);
  spec = Spec(TaskKind::kEvaluate);
  SetWindows(*spec.mutable_evaluate());
  builder.Run(spec, true,
              WithWeights(builder, {{TaskFile::kIds, OutputOf(TaskKind::kTokenize, TaskFile::kIds)},
                                    {TaskFile::kHidden, OutputOf(TaskKind::kReference, TaskFile::kHidden)}}));
  spec = Spec(TaskKind::kChoose);
  spec.mutable_choose()->set_candidates(1);
  spec.mutable_choose()->set_window(kWindow);
  spec.mutable_choose()->set_target(builder.target());
  builder.Run(spec, false,
              {{TaskFile::kInfo, OutputOf(TaskKind::kInspect, TaskFile::kInfo)},
               {TaskFile::kAllocation, OutputOf(TaskKind::kAllocate, TaskFile::kAllocation)},
               {Numbered(TaskFile::kTokens, 0), OutputOf(TaskKind::kEvaluate, TaskFile::kTokens)}});
  spec = Spec(TaskKind::kProbe);
  spec.mutable_probe()->set_window(kWindow);
  spec.mutable_probe()->set_target(builder.target());
  builder.Run(spec, false,
              {{TaskFile::kInfo, OutputOf(TaskKind::kInspect, TaskFile::kInfo)},
               {TaskFile::kAllocation, OutputOf(TaskKind::kAllocate, TaskFile::kAllocation)},
               {Numbered(TaskFile::kTokens, 0), OutputOf(TaskKind::kEvaluate, TaskFile::kTokens)}});
  spec = Spec(TaskKind::kSelect);
  spec.mutable_select()->mutable_budget()->set_average_bits(builder.bits());
  spec.mutable_select()->set_target(builder.target());
  spec.mutable_select()->add_plans(0);
  spec.mutable_select()->mutable_card()->set_window(kWindow);
  spec.mutable_select()->set_shards(1);
  spec.mutable_select()->mutable_card()->set_model("small");
  Blobs small = SmallModelBlobs();
  small.erase(ModelFileName("model.safetensors"));
  builder.Run(spec, false,
              {{TaskFile::kInfo, OutputOf(TaskKind::kInspect, TaskFile::kInfo)},
               {TaskFile::kAllocation, OutputOf(TaskKind::kAllocate, TaskFile::kAllocation)},
               {TaskFile::kChoice, OutputOf(TaskKind::kChoose, TaskFile::kChoice)},
               {Numbered(TaskFile::kTokens, 0, 0), OutputOf(TaskKind::kEvaluate, TaskFile::kTokens)}},
              small);
  spec = Spec(TaskKind::kAssemble);
  spec.mutable_assemble()->mutable_card()->set_model("small");
  spec.mutable_assemble()->mutable_card()->set_window(kWindow);
  spec.mutable_assemble()->set_target(builder.target());
  builder.Run(spec, true,
              WithWeights(builder, {{TaskFile::kInfo, OutputOf(TaskKind::kInspect, TaskFile::kInfo)},
                                    {TaskFile::kAllocation, OutputOf(TaskKind::kAllocate, TaskFile::kAllocation)},
                                    {TaskFile::kSelection, OutputOf(TaskKind::kSelect, TaskFile::kSelection)}}));
  Ask(builder);
  Write(builder);
  spec = Spec(TaskKind::kReport);
  spec.mutable_report()->mutable_spec()->add_choices()->set_display_name("made-up.jsonl");
  spec.mutable_report()->mutable_spec()->mutable_sample()->set_tokens(12);
  spec.mutable_report()->set_model_display_name("small");
  spec.mutable_report()->set_job_display_name("a job");
  spec.mutable_report()->mutable_spec()->set_target(builder.target());
  spec.mutable_report()->mutable_spec()->add_calibration()->set_display_name("books");
  spec.mutable_report()->mutable_spec()->add_evaluation()->set_display_name("news");
  spec.mutable_report()->add_notices()->set_reason("TEXTS_OVERLAP");
  builder.Run(spec, false,
              {{TaskFile::kInfo, OutputOf(TaskKind::kInspect, TaskFile::kInfo)},
               {TaskFile::kAllocation, OutputOf(TaskKind::kAllocate, TaskFile::kAllocation)},
               {TaskFile::kPrices, OutputOf(TaskKind::kAllocate, TaskFile::kPrices)},
               {TaskFile::kSelection, OutputOf(TaskKind::kSelect, TaskFile::kSelection)},
               {TaskFile::kManifest, OutputOf(TaskKind::kAssemble, TaskFile::kManifest)},
               {Numbered(TaskFile::kGrade, 0, 0), OutputOf(TaskKind::kGrade, TaskFile::kGrade)},
               {Numbered(TaskFile::kGrade, 0, 1), OutputOf(TaskKind::kGrade, TaskFile::kGrade)},
               {Numbered(TaskFile::kSample, 0), OutputOf(TaskKind::kSample, TaskFile::kSample)},
               {Numbered(TaskFile::kSample, 1), OutputOf(TaskKind::kSample, TaskFile::kSample)}},
              {{TaskFile::kProvenance, SomeProvenance()}});
}

}  // namespace

std::string EndsOf(const std::string& kind) { return kind + "[ends]"; }

std::string OutputOf(const std::string& kind, const std::string& output) { return kind + "/" + output; }

// The pieces of a model's file that the task reads, each as a file of its own.
absl::Status WritePieces(const v1::TaskSpec& spec, const v1::ModelInfo& info, const std::string& bytes,
                         const TempDir& dir, v1::TaskInput& input) {
  const PartsRead read = PartsReadBy(spec, info.blocks());
  for (const v1::ModelPiece& piece : info.pieces()) {
    const bool of_file = ModelFileName(info.files(piece.file())) == input.name();
    if (!of_file || !read.Has({piece.part(), piece.block()})) continue;
    *input.add_pieces() = piece.piece();
    ABSL_RETURN_IF_ERROR(WriteFile(dir / piece.piece().digest().sha256(),
                                   bytes.substr(static_cast<size_t>(piece.piece().offset()),
                                                static_cast<size_t>(piece.piece().digest().size_bytes()))));
  }
  return absl::OkStatus();
}

absl::StatusOr<Blobs> RunOnBlobs(v1::TaskSpec spec, const Blobs& inputs, int threads, const v1::ModelInfo* pieces_of,
                                 const MakeDeviceFunction& make_device) {
  const TempDir dir, out;
  std::map<std::string, std::string> paths;
  for (const auto& [name, bytes] : inputs) {
    v1::TaskInput& input = *spec.add_inputs();
    input.set_name(name);
    *input.mutable_digest() = ToProto(DigestOf(bytes));
    if (pieces_of != nullptr) ABSL_RETURN_IF_ERROR(WritePieces(spec, *pieces_of, bytes, dir, input));
    if (input.pieces_size() > 0) continue;
    const std::string path = dir / std::to_string(paths.size());
    ABSL_RETURN_IF_ERROR(WriteFile(path, bytes));
    paths[name] = path;
  }
  ThreadPool pool(threads);
  TaskContext context;
  context.piece_path = [&](const std::string& sha256) { return dir / sha256; };
  context.input_path = [&](const std::string& name) { return paths.contains(name) ? paths.at(name) : std::string(); };
  context.output_dir = out.path();
  context.pool = &pool;
  context.make_device = make_device;
  context.progress = [](double) {};
  ABSL_ASSIGN_OR_RETURN(const auto files, RunTask(spec, context));
  Blobs outputs;
  for (const TaskOutputFile& file : files) {
    ABSL_ASSIGN_OR_RETURN(outputs[file.name], ReadFile(out / file.file));
  }
  return outputs;
}

Blobs SmallModelBlobs() {
  const TempDir dir;
  Blobs blobs;
  for (const auto& [name, path] : SmallModel::Make().Write(dir.path())) {
    const auto bytes = ReadFile(path.path);
    CHECK(bytes.ok()) << bytes.status();
    blobs[ModelFileName(name)] = *bytes;
  }
  return blobs;
}

Chain RunChain(int threads, const std::string& target) {
  Builder builder(threads, target);
  RunUpToAllocate(builder);
  RunFromQuantize(builder);
  return builder.Take();
}

}  // namespace bitwright::worker
