#include "server/jobs/expand.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "server/jobs/costs.h"
#include "server/jobs/cuts.h"
#include "server/jobs/job_errors.h"
#include "server/jobs/node_builder.h"
#include "server/jobs/notices.h"
#include "server/jobs/recipe_check.h"
#include "server/jobs/texts.h"

namespace bitwright::server {
namespace {

constexpr double kFlopsPerTokenizedByte = 100;
constexpr int64_t kAskedCopies = 4;            // of a question's text: its context stands before each of its choices
constexpr int64_t kSamplePromptTokens = 64;    // of the evaluation text, at most
constexpr int64_t kSpareTokens = 8;            // that a tokenizer puts around a prompt
constexpr int64_t kMostQuestionTokens = 8192;  // of a context and a choice; what is longer loses its beginning

void SetRange(Cut cut, v1::Range* range) {
  range->set_begin(cut.begin);
  range->set_end(cut.end);
}

absl::Status CheckLength(const std::string& use, const v1::TokenizeSummary::Text& text, int window) {
  if (text.windows() >= 1) return absl::OkStatus();
  return DataTooShortError(use, text.tokens_in_file(), window);
}

// That every text of which something is known has a window.
absl::Status CheckLengths(const v1::JobSpec& spec, const Facts& facts) {
  if (const auto& calibration = facts.calibration) {
    // What is assumed of an estimate is of all texts together.
    const int texts = std::max(1, calibration->texts_size());
    for (int t = 0; t < texts; ++t) {
      ABSL_RETURN_IF_ERROR(CheckLength(TextField(TaskUse::kCalibration, t, texts), PartOf(*calibration, t, texts),
                                       calibration->window()));
    }
  }
  const int texts = spec.evaluation_size();
  for (size_t t = 0; t < facts.evaluation.size(); ++t) {
    const auto& summary = facts.evaluation[t];
    if (!summary) continue;
    ABSL_RETURN_IF_ERROR(CheckLength(TextField(TaskUse::kEvaluation, static_cast<int>(t), texts),
                                     PartOf(*summary, 0, 1), summary->window()));
  }
  return absl::OkStatus();
}

std::vector<int> WindowsOfEach(const std::vector<v1::TokenizeSummary>& texts) {
  std::vector<int> windows;
  windows.reserve(texts.size());
  for (const v1::TokenizeSummary& text : texts) windows.push_back(text.windows());
  return windows;
}

// What tokenizing takes of the model: messages of documents are rendered with its chat template.
ModelFiles TokenizerFiles(v1::Data::Kind kind) {
  switch (kind) {
    case v1::Data::TEXT:
      return ModelFiles::kTokenizer;
    case v1::Data::DOCUMENTS_JSONL:
      return ModelFiles::kChat;
    default:
      return ModelFiles::kNone;
  }
}

// What prices and checks depend on: recipes that differ elsewhere share them through the action cache.
v1::Recipe CheckedPart(v1::Recipe recipe) {
  recipe.clear_calibration();
  recipe.clear_candidates();
  recipe.clear_evaluation();
  recipe.mutable_sensitivity()->clear_windows();
  recipe.mutable_sensitivity()->clear_checked_units();
  return PartsOf(std::move(recipe));
}
v1::Recipe ProfiledPart(v1::Recipe recipe) {
  recipe.clear_sensitivity();
  return CheckedPart(std::move(recipe));
}

// Appends the nodes of one job, stage by stage. Each method needs the facts of its stage.
class Expander {
 public:
  Expander(const ResolvedJob& job, const Facts& facts, const GraphDetail& wanted)
      : job_(job),
        facts_(facts),
        detail_(wanted.nodes),
        known_(wanted.known),
        inputs_(wanted.nodes == NodeDetail::kSize ? v1::Model::default_instance() : *job.model),
        info_(job.model->info()),
        window_(job.calibration_window()),
        costs_(info_, *job.target(), job.recipe, window_),
        evaluation_costs_(info_, *job.target(), job.recipe, job.evaluation_window()),
        live_(info_, job.recipe.rounding(), job.target()) {}

  void Tokenize() {
    TokenizeCalibration();
    for (int text = 0; text < job_.spec.evaluation_size(); ++text) TokenizeEvaluation(text);
    for (int file = 0; file < job_.spec.choices_size(); ++file) Questions(file);
  }

  void Analyze(const std::vector<v1::TokenizeSummary>& evaluation) {
    evaluation_windows_ = WindowsOf(evaluation);
    cuts_ =
        CutJob(info_, *job_.target(), job_.recipe, facts_.calibration->windows(), window_, WindowsOfEach(evaluation));
    for (size_t i = 0; i < cuts_.evaluation.size(); ++i) {
      Reference(TaskKey(TaskKind::kReference, i), cuts_.evaluation[i]);
    }
    for (size_t j = 0; j < cuts_.ranges.size(); ++j) {
      for (size_t i = 0; i < cuts_.shards.size(); ++i) Calibrate(i, j);
      if (cuts_.shards.size() > 1) Merge(j);
    }
    for (size_t i = 0; i < cuts_.curvature.size(); ++i) {
      for (size_t j = 0; j < cuts_.ranges.size(); ++j) ProfileReference(i, j);
      for (size_t j = cuts_.ranges.size(); j-- > 0;) Curvature(i, j);
    }
    for (size_t j = 0; j < cuts_.profiles.size(); ++j) Profile(j);
    if (StoresEnds()) ProfileEnds();
    for (size_t j = 0; j < cuts_.checks.size(); ++j) Check(j);
    Allocate();
  }

  void Quantize() {
    for (size_t j = 0; j < cuts_.ranges.size(); ++j) Quantize(j);
    if (StoresEnds()) QuantizeEnds();
  }

  // Whether plans are chosen on held-out text: there is such text, and something to choose.
  bool Chooses() const { return facts_.calibration->held_out_windows() > 0 && candidates() > 1; }

  void Choose() {
    HeldOutReference();
    for (int c = 0; c < candidates(); ++c) HeldOutEvaluate(c);
    Add(TaskKind::kChoose, [&](NodeBuilder& builder) {
      auto* params = builder.spec().mutable_choose();
      params->set_candidates(candidates());
      params->set_window(window_);
      params->set_target(job_.spec.target());
      builder.Input(TaskFile::kInfo, job_.info)
          .Link(TaskFile::kAllocation, TaskKind::kAllocate, TaskFile::kAllocation)
          .Needs(LiveSets::Small(), 100.0 * candidates() * facts_.calibration->held_out_windows() * window_);
      for (int c = 0; c < candidates(); ++c)
        builder.Link(Numbered(TaskFile::kTokens, c), TaskKey(TaskKind::kEvaluate, TaskUse::kHeldOut, c),
                     TaskFile::kTokens);
    });
  }

  void Measure(const std::vector<int>& plans) {
    for (const int c : plans) {
      for (size_t i = 0; i < cuts_.evaluation.size(); ++i) Evaluate(c, i);
    }
    Select(plans);
  }

  // All plans; of a choice the selected one, the best uniform one and the optimizer's.
  std::vector<int> PlansToMeasure() const {
    std::vector<int> plans;
    for (int c = 0; c < candidates(); ++c) {
      const bool mixed = facts_.allocation->candidates(c).kind() == v1::PLAN_KIND_MIXED;
      if (!Chooses() || mixed || c == facts_.choice->selected() || c == facts_.choice->best_uniform())
        plans.push_back(c);
    }
    return plans;
  }

  void Assemble() {
    Add(TaskKind::kAssemble, [&](NodeBuilder& builder) {
      auto* params = builder.spec().mutable_assemble();
      params->set_candidate(SelectedPlan());
      params->set_target(job_.spec.target());
      if (whole()) *params->mutable_card() = Card();
      builder.Files(inputs_, ModelFiles::kAll)
          .Input(TaskFile::kInfo, job_.info)
          .Link(TaskFile::kAllocation, TaskKind::kAllocate, TaskFile::kAllocation)
          .Link(TaskFile::kSelection, TaskKind::kSelect, TaskFile::kSelection)
          .Needs(LiveSets::Small(), static_cast<double>(info_.model_bytes()));
      LinkWeights(builder, SelectedPlan());
    });
  }

  // How the unquantized model and the selected plan answer questions, and what they write.
  void Answer(const std::vector<v1::QuestionsSummary>& files) {
    for (int file = 0; file < static_cast<int>(files.size()); ++file) {
      const auto& shards = files[static_cast<size_t>(file)].shards();
      for (const Answerer answerer : {Answerer::kBase, Answerer::kSelected}) {
        for (int shard = 0; shard < shards.size(); ++shard) Score(file, answerer, shard, shards[shard]);
        Grade(file, answerer, shards.size());
      }
    }
    if (!job_.spec.has_sample()) return;
    Sample(Answerer::kBase);
    Sample(Answerer::kSelected);
  }

  void Report() {
    Add(TaskKind::kReport, [&](NodeBuilder& builder) {
      auto* params = builder.spec().mutable_report();
      *params->mutable_spec() = ComparableSpec();
      params->set_model_display_name(job_.model->display_name());
      *params->mutable_recipe() = job_.recipe;
      params->set_job_display_name(job_.spec.display_name());
      for (v1::Notice& notice : DataNotices(job_.spec, facts_)) *params->add_notices() = std::move(notice);
      builder.Input(TaskFile::kInfo, job_.info)
          .Input(TaskFile::kProvenance, *facts_.provenance)
          .Link(TaskFile::kAllocation, TaskKind::kAllocate, TaskFile::kAllocation)
          .Link(TaskFile::kManifest, TaskKind::kAssemble, TaskFile::kManifest)
          .Link(TaskFile::kSelection, TaskKind::kSelect, TaskFile::kSelection)
          .Needs(LiveSets::Small(), 0);
      for (int file = 0; file < job_.spec.choices_size(); ++file) {
        for (const int answerer : {0, 1}) {
          builder.Link(Numbered(TaskFile::kGrade, file, answerer), TaskKey(TaskKind::kGrade, file, answerer),
                       TaskFile::kGrade);
        }
      }
      for (const int answerer : {0, 1}) {
        if (!job_.spec.has_sample()) break;
        builder.Link(Numbered(TaskFile::kSample, answerer), TaskKey(TaskKind::kSample, answerer), TaskFile::kSample);
      }
    });
  }

  std::vector<TaskNode> Take() { return std::move(nodes_); }

 private:
  bool whole() const { return detail_ == NodeDetail::kWhole; }
  int candidates() const { return facts_.allocation->candidates_size(); }

  // Which plan of the allocation the selection is of. One that there is, whatever a worker says.
  int SelectedPlan() const {
    const v1::Selection& selection = *facts_.selection;
    const bool named = selection.selected() >= 0 && selection.selected() < selection.candidates_size();
    const int plan = named ? selection.candidates(selection.selected()).plan() : 0;
    return std::clamp(plan, 0, candidates() - 1);
  }

  // The next node. `fill` is given its builder, unless it is one of those that are there already.
  template <typename Fill>
  void Add(const std::string& key, const Fill& fill) {
    if (nodes_.size() < known_) {
      nodes_.emplace_back().key = key;
      return;
    }
    NodeBuilder builder(key, detail_);
    fill(builder);
    nodes_.push_back(builder.Build());
  }

  // What the first text of a tokenization says for all of it, and of itself.
  v1::TokenizeParams& SetTokenize(const v1::Data& data, int held_out, NodeBuilder& builder) const {
    auto& params = *builder.spec().mutable_tokenize();
    params.set_kind(data.kind());
    params.set_window(data.window());
    params.set_max_tokens(data.tokens());
    params.set_add_special_tokens(data.add_special_tokens());
    params.set_vocab_size(info_.vocab_size());
    params.set_held_out(held_out);
    builder.Input(TaskFile::kData, data.blob());
    return params;
  }

  // All texts, one after the other: as much memory as the largest takes.
  void TokenizeCalibration() {
    Add(calibration_key_, [&](NodeBuilder& builder) {
      const auto& texts = job_.spec.calibration();
      auto& params = SetTokenize(texts[0], HeldOutShare(0, texts.size()), builder);
      ModelFiles files = TokenizerFiles(texts[0].kind());
      int64_t largest = texts[0].blob().size_bytes(), all = largest;
      for (int t = 1; t < texts.size(); ++t) {
        auto& text = *params.add_further();
        text.set_kind(texts[t].kind());
        text.set_max_tokens(texts[t].tokens());
        text.set_add_special_tokens(texts[t].add_special_tokens());
        text.set_held_out(HeldOutShare(t, texts.size()));
        builder.Input(Numbered(TaskFile::kData, t - 1), texts[t].blob());
        files = std::max(files, TokenizerFiles(texts[t].kind()));  // what documents need has what text needs
        largest = std::max(largest, texts[t].blob().size_bytes());
        all += texts[t].blob().size_bytes();
      }
      builder.Files(inputs_, files)
          .Needs(LiveSets::Tokenize(largest), kFlopsPerTokenizedByte * static_cast<double>(all));
    });
  }

  void TokenizeEvaluation(int text) {
    Add(EvaluationKey(text), [&](NodeBuilder& builder) {
      const v1::Data& data = job_.spec.evaluation(text);
      SetTokenize(data, 0, builder);
      builder.Files(inputs_, TokenizerFiles(data.kind()))
          .Needs(LiveSets::Tokenize(data.blob().size_bytes()),
                 kFlopsPerTokenizedByte * static_cast<double>(data.blob().size_bytes()));
    });
  }

  void Questions(int file) {
    Add(TaskKey(TaskKind::kQuestions, file), [&](NodeBuilder& builder) {
      const v1::ChoiceFile& choices = job_.spec.choices(file);
      const int64_t bytes = choices.blob().size_bytes();
      auto* params = builder.spec().mutable_questions();
      params->set_max_questions(choices.questions());
      params->set_max_positions(MostPositions());
      params->set_vocab_size(info_.vocab_size());
      builder.Files(inputs_, ModelFiles::kTokenizer)
          .Input(TaskFile::kData, choices.blob())
          .Needs(LiveSets::Tokenize(kAskedCopies * bytes),
                 kFlopsPerTokenizedByte * kAskedCopies * static_cast<double>(bytes));
    });
  }

  int32_t MostPositions() const {
    const int64_t positions = info_.max_positions();
    return static_cast<int32_t>(positions > 0 ? std::min(positions, kMostQuestionTokens) : kMostQuestionTokens);
  }

  // Whose answers: the number that they go by in keys and names.
  enum class Answerer { kBase = 0, kSelected = 1 };

  void Score(int file, Answerer answerer, int shard, const v1::QuestionsSummary::Shard& cut) {
    Add(TaskKey(TaskKind::kScore, file, static_cast<int>(answerer), shard), [&](NodeBuilder& builder) {
      const int64_t sequences = int64_t{cut.sequences().end()} - cut.sequences().begin();
      const v1::ComputeType compute = job_.recipe.evaluation().compute();
      auto* params = builder.spec().mutable_score();
      *params->mutable_sequences() = cut.sequences();
      params->set_window(cut.window());
      params->set_compute(compute);
      params->set_quantized(answerer == Answerer::kSelected);
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Link(TaskFile::kQuestions, TaskKey(TaskKind::kQuestions, file), TaskFile::kQuestions)
          .Needs(live_.Score(sequences, cut.window(), compute, job_.spec.choices(file).blob().size_bytes()),
                 costs_.ScoreFlops(static_cast<int>(sequences), cut.window()))
          .Numeric();
      if (answerer == Answerer::kSelected) LinkWeights(builder, SelectedPlan());
    });
  }

  // Of a prompt so many tokens are read; where there is none, so many of the evaluation text.
  int PromptTokens() const {
    const v1::SampleSpec& sample = job_.spec.sample();
    const int64_t wanted = sample.prompt().empty()
                               ? std::min<int64_t>(kSamplePromptTokens, (job_.evaluation_window() + 1) / 2)
                               : static_cast<int64_t>(sample.prompt().size()) + kSpareTokens;
    const int64_t positions = info_.max_positions();
    const int64_t room = positions > 0 ? positions - sample.tokens() : wanted;
    return static_cast<int>(std::clamp<int64_t>(room, 1, wanted));
  }

  void Sample(Answerer answerer) {
    const int number = static_cast<int>(answerer);
    Add(TaskKey(TaskKind::kSample, number), [&](NodeBuilder& builder) {
      const v1::SampleSpec& sample = job_.spec.sample();
      const int window = PromptTokens() + sample.tokens();
      const v1::ComputeType compute = job_.recipe.evaluation().compute();
      auto* params = builder.spec().mutable_sample();
      params->set_prompt(sample.prompt());
      params->set_prompt_tokens(PromptTokens());
      params->set_tokens(sample.tokens());
      params->set_compute(compute);
      params->set_quantized(answerer == Answerer::kSelected);
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Files(inputs_, ModelFiles::kTokenizer)
          .Needs(live_.Sample(window, compute), costs_.SampleFlops(sample.tokens(), window))
          .Numeric();
      if (sample.prompt().empty()) builder.Link(TaskFile::kIds, EvaluationKey(0), TaskFile::kIds);
      if (answerer == Answerer::kBase) return;
      builder.Link(TaskFile::kSample, TaskKey(TaskKind::kSample, static_cast<int>(Answerer::kBase)), TaskFile::kSample);
      LinkWeights(builder, SelectedPlan());
    });
  }

  void Grade(int file, Answerer answerer, int shards) {
    const int number = static_cast<int>(answerer);
    Add(TaskKey(TaskKind::kGrade, file, number), [&](NodeBuilder& builder) {
      builder.spec().mutable_grade()->set_shards(shards);
      builder.Link(TaskFile::kQuestions, TaskKey(TaskKind::kQuestions, file), TaskFile::kQuestions)
          .Needs(LiveSets::Small(), 0);
      for (int shard = 0; shard < shards; ++shard) {
        builder.Link(Numbered(TaskFile::kScores, shard), TaskKey(TaskKind::kScore, file, number, shard),
                     TaskFile::kScores);
      }
    });
  }

  void Reference(const std::string& key, const EvaluationCut& cut) {
    Add(key, [&](NodeBuilder& builder) {
      const Cut windows = cut.windows;
      const Cut blocks{0, info_.blocks()};
      auto* params = builder.spec().mutable_reference();
      SetRange(windows, params->mutable_windows());
      SetRange(blocks, params->mutable_blocks());
      params->set_window(job_.evaluation_window());
      params->set_compute(job_.recipe.evaluation().compute());
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Link(TaskFile::kIds, EvaluationKey(cut.text), TaskFile::kIds)
          .Needs(live_.Reference(windows.size(), job_.evaluation_window(), job_.recipe.evaluation().compute()),
                 evaluation_costs_.ReferenceFlops(blocks, windows.size()))
          .Numeric();
    });
  }

  static std::string ProfileReferenceKey(int shard, int range) {
    return TaskKey(TaskKind::kReference, TaskUse::kProfile, shard, range);
  }

  // Windows of the calibration text that stand for it, on their way through blocks.
  template <typename Params>
  void SetProfileWindows(int shard, Params& params) const {
    SetRange(cuts_.curvature[shard], params.mutable_windows());
    params.set_stride(cuts_.profile_stride);
    params.set_window(window_);
  }
  void LinkEntering(NodeBuilder& builder, int shard, int range) const {
    builder.Link(TaskFile::kIds, calibration_key_, TaskFile::kIds);
    if (range > 0) builder.Link(TaskFile::kActivations, ProfileReferenceKey(shard, range - 1), TaskFile::kActivations);
  }

  // Units are priced and measured in f32 whatever the evaluation computes in: bf16 puts a floor under what is to be
  // measured.
  void ProfileReference(int shard, int range) {
    Add(ProfileReferenceKey(shard, range), [&](NodeBuilder& builder) {
      const int windows = cuts_.curvature[shard].size();
      auto* params = builder.spec().mutable_reference();
      SetProfileWindows(shard, *params);
      SetRange(cuts_.ranges[range], params->mutable_blocks());
      params->set_compute(v1::COMPUTE_TYPE_F32);
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Needs(live_.Reference(windows, window_, v1::COMPUTE_TYPE_F32),
                 costs_.ReferenceFlops(cuts_.ranges[range], windows))
          .Numeric();
      LinkEntering(builder, shard, range);
    });
  }

  void Curvature(int shard, int range) {
    Add(TaskKey(TaskKind::kCurvature, shard, range), [&](NodeBuilder& builder) {
      const int windows = cuts_.curvature[shard].size();
      auto* params = builder.spec().mutable_curvature();
      SetProfileWindows(shard, *params);
      SetRange(cuts_.ranges[range], params->mutable_blocks());
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Needs(live_.Curvature(cuts_.ranges[range].size(), windows, window_),
                 costs_.CurvatureFlops(cuts_.ranges[range], windows))
          .Numeric();
      LinkEntering(builder, shard, range);
      if (range + 1 < static_cast<int>(cuts_.ranges.size()))
        builder.Link(TaskFile::kGradients, TaskKey(TaskKind::kCurvature, shard, range + 1), TaskFile::kGradients);
    });
  }

  void Calibrate(int shard, int range) {
    Add(TaskKey(TaskKind::kCalibrate, shard, range), [&](NodeBuilder& builder) {
      const Cut windows = cuts_.shards[shard];
      const Cut blocks = cuts_.ranges[range];
      auto* params = builder.spec().mutable_calibrate();
      SetRange(windows, params->mutable_windows());
      SetRange(blocks, params->mutable_blocks());
      params->set_window(window_);
      params->set_compute(job_.recipe.calibration().compute());
      params->set_last(range + 1 == static_cast<int>(cuts_.ranges.size()));
      const bool factorizes = Factorizes() && !Merges();
      if (factorizes) *params->mutable_factoring() = Factoring();
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Link(TaskFile::kIds, calibration_key_, TaskFile::kIds)
          .Needs(live_.Calibrate(windows.size(), window_, job_.recipe.calibration().compute(), factorizes),
                 costs_.CalibrateFlops(blocks, windows.size(), factorizes))
          .Numeric();
      if (range > 0)
        builder.Link(TaskFile::kActivations, TaskKey(TaskKind::kCalibrate, shard, range - 1), TaskFile::kActivations);
    });
  }

  void Merge(int range) {
    Add(TaskKey(TaskKind::kMerge, range), [&](NodeBuilder& builder) {
      const int shards = static_cast<int>(cuts_.shards.size());
      auto* params = builder.spec().mutable_merge();
      if (Factorizes()) *params->mutable_factoring() = Factoring();
      for (int i = 0; i < shards; ++i)
        builder.Link(Numbered(TaskFile::kStatistics, i), TaskKey(TaskKind::kCalibrate, i, range),
                     TaskFile::kStatistics);
      builder.Needs(live_.Merge(), costs_.MergeFlops(cuts_.ranges[range], shards)).Numeric();
    });
  }

  bool Merges() const { return cuts_.shards.size() > 1; }
  // Whoever writes the statistics that are rounded by factorizes them: once for all tasks, in the same bytes.
  bool Factorizes() const { return job_.recipe.rounding().method() == v1::ROUNDING_METHOD_GPTQ; }
  v1::Factoring Factoring() const {
    v1::Factoring factoring;
    factoring.set_act_order(job_.recipe.rounding().act_order());
    factoring.set_damping(job_.recipe.rounding().damping());
    return factoring;
  }

  void LinkStatistics(NodeBuilder& builder, int range) {
    builder.Link(TaskFile::kStatistics,
                 Merges() ? TaskKey(TaskKind::kMerge, range) : TaskKey(TaskKind::kCalibrate, 0, range),
                 TaskFile::kStatistics);
  }

  void Profile(int index) {
    Add(TaskKey(TaskKind::kProfile, index), [&](NodeBuilder& builder) {
      const ProfileCut& cut = cuts_.profiles[index];
      auto* params = builder.spec().mutable_profile();
      SetRange(cut.blocks, params->mutable_blocks());
      params->set_target(job_.spec.target());
      if (whole()) *params->mutable_recipe() = ProfiledPart(job_.recipe);
      builder.Files(inputs_, ModelFiles::kNumeric).Needs(live_.Profile(), costs_.ProfileFlops(cut.blocks)).Numeric();
      LinkStatistics(builder, cut.range);
      for (size_t i = 0; i < cuts_.curvature.size(); ++i)
        builder.Link(Numbered(TaskFile::kCurvature, i), TaskKey(TaskKind::kCurvature, i, cut.range),
                     TaskFile::kCurvature);
    });
  }

  // Whether embedding and output head are units of the target.
  bool StoresEnds() const {
    const int stored = job_.target()->units_size();
    return stored > 0 && info_.units(stored - 1).block() < 0;
  }

  // What the curvature tells of the ends: of the first blocks, and where they are others, of the last.
  void LinkEnds(NodeBuilder& builder) const {
    const int last = static_cast<int>(cuts_.ranges.size()) - 1;
    size_t next = 0;
    for (const int range : last == 0 ? std::vector<int>{0} : std::vector<int>{0, last}) {
      for (size_t i = 0; i < cuts_.curvature.size(); ++i)
        builder.Link(Numbered(TaskFile::kEnds, next++), TaskKey(TaskKind::kCurvature, i, range), TaskFile::kEnds);
    }
  }

  void ProfileEnds() {
    Add(TaskKey(TaskKind::kProfile, TaskUse::kEnds), [&](NodeBuilder& builder) {
      auto* params = builder.spec().mutable_profile();
      params->set_ends(true);
      params->set_target(job_.spec.target());
      params->set_window(window_);
      params->set_windows(facts_.calibration->windows());
      if (whole()) *params->mutable_recipe() = ProfiledPart(job_.recipe);
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Link(TaskFile::kIds, calibration_key_, TaskFile::kIds)
          .Needs(live_.Ends(), costs_.ProfileEndsFlops())
          .Numeric();
      LinkEnds(builder);
    });
  }

  void QuantizeEnds() {
    Add(TaskKey(TaskKind::kQuantize, TaskUse::kEnds), [&](NodeBuilder& builder) {
      auto* params = builder.spec().mutable_quantize();
      params->set_ends(true);
      *params->mutable_rounding() = job_.recipe.rounding();
      AddPlannedUnits([](const v1::UnitInfo& unit) { return unit.block() < 0; }, *params);
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Needs(live_.Ends(), costs_.QuantizeEndsFlops(candidates()))
          .Numeric();
      LinkEnds(builder);
    });
  }

  // Those of the target's units that are wanted, with their formats in every plan.
  template <typename Wanted>
  void AddPlannedUnits(const Wanted& wanted, v1::QuantizeParams& params) const {
    for (int u = 0; whole() && u < job_.target()->units_size(); ++u) {
      if (!wanted(info_.units(u))) continue;
      auto* unit = params.add_units();
      unit->set_name(info_.units(u).name());
      // Plan.units are in the order of TargetInfo.units.
      for (const v1::Plan& plan : facts_.allocation->candidates()) {
        if (u < plan.units_size()) *unit->add_formats() = plan.units(u).format();
      }
    }
  }

  void Check(int index) {
    Add(TaskKey(TaskKind::kCheck, index), [&](NodeBuilder& builder) {
      const CheckCut& cut = cuts_.checks[index];
      const Cut blocks = cuts_.ranges[cut.range];
      const int windows = cuts_.curvature[0].size();
      auto* params = builder.spec().mutable_check();
      SetProfileWindows(0, *params);
      SetRange(blocks, params->mutable_blocks());
      params->set_target(job_.spec.target());
      for (const int unit : cut.units) params->add_units(info_.units(unit).name());
      if (whole()) *params->mutable_recipe() = CheckedPart(job_.recipe);
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Link(TaskFile::kHidden, ProfileReferenceKey(0, static_cast<int>(cuts_.ranges.size()) - 1), TaskFile::kHidden)
          .Needs(live_.Check(cut.units, costs_.Measurements(), windows, window_),
                 costs_.CheckFlops(blocks, cut.units, windows))
          .Numeric();
      LinkEntering(builder, 0, cut.range);
      LinkStatistics(builder, cut.range);
    });
  }

  void Allocate() {
    Add(TaskKind::kAllocate, [&](NodeBuilder& builder) {
      auto* params = builder.spec().mutable_allocate();
      params->set_target(job_.spec.target());
      *params->mutable_budget() = job_.spec.budget();
      if (whole()) *params->mutable_recipe() = PartsOf(job_.recipe);
      builder.Input(TaskFile::kInfo, job_.info).Needs(LiveSets::Small(), 1e4 * info_.units_size());
      for (size_t j = 0; j < cuts_.profiles.size(); ++j) {
        builder.Link(Numbered(TaskFile::kSensitivity, j), TaskKey(TaskKind::kProfile, j), TaskFile::kSensitivity);
      }
      if (StoresEnds()) {
        builder.Link(Numbered(TaskFile::kSensitivity, cuts_.profiles.size()),
                     TaskKey(TaskKind::kProfile, TaskUse::kEnds), TaskFile::kSensitivity);
      }
      for (size_t j = 0; j < cuts_.checks.size(); ++j) {
        builder.Link(Numbered(TaskFile::kChecks, j), TaskKey(TaskKind::kCheck, j), TaskFile::kChecks);
      }
    });
  }

  // All plans at once: those that agree on a unit share its rounding.
  void Quantize(int range) {
    Add(TaskKey(TaskKind::kQuantize, range), [&](NodeBuilder& builder) {
      const Cut blocks = cuts_.ranges[range];
      auto* params = builder.spec().mutable_quantize();
      SetRange(blocks, params->mutable_blocks());
      *params->mutable_rounding() = job_.recipe.rounding();
      AddPlannedUnits(
          [&](const v1::UnitInfo& unit) { return unit.block() >= blocks.begin && unit.block() < blocks.end; }, *params);
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Needs(live_.Quantize(), costs_.QuantizeFlops(blocks, candidates()))
          .Numeric();
      LinkStatistics(builder, range);
    });
  }

  void LinkWeights(NodeBuilder& builder, int candidate) {
    for (size_t j = 0; j < cuts_.ranges.size(); ++j) {
      builder.Link(Numbered(TaskFile::kWeights, j), TaskKey(TaskKind::kQuantize, j),
                   Numbered(TaskFile::kWeights, candidate));
    }
    if (!StoresEnds()) return;
    builder.Link(Numbered(TaskFile::kWeights, cuts_.ranges.size()), TaskKey(TaskKind::kQuantize, TaskUse::kEnds),
                 Numbered(TaskFile::kWeights, candidate));
  }

  void Evaluate(int candidate, int shard) {
    Add(TaskKey(TaskKind::kEvaluate, candidate, shard), [&](NodeBuilder& builder) {
      const EvaluationCut& cut = cuts_.evaluation[shard];
      SetRange(cut.windows, builder.spec().mutable_evaluate()->mutable_windows());
      builder.Link(TaskFile::kHidden, TaskKey(TaskKind::kReference, shard), TaskFile::kHidden)
          .Link(TaskFile::kIds, EvaluationKey(cut.text), TaskFile::kIds);
      Evaluate(builder, candidate, job_.evaluation_window(), evaluation_costs_);
    });
  }

  // A task whose windows and links to these are there.
  void Evaluate(NodeBuilder& builder, int candidate, int window, const Costs& costs) {
    auto* params = builder.spec().mutable_evaluate();
    const int windows = params->windows().end() - params->windows().begin();
    params->set_window(window);
    params->set_compute(job_.recipe.evaluation().compute());
    builder.Files(inputs_, ModelFiles::kNumeric)
        .Needs(live_.Evaluate(windows, window, job_.recipe.evaluation().compute()), costs.EvaluateFlops(windows))
        .Numeric();
    LinkWeights(builder, candidate);
  }

  // Held-out windows of the calibration text: computed in as the evaluation is.
  void HeldOutReference() {
    Add(TaskKey(TaskKind::kReference, TaskUse::kHeldOut), [&](NodeBuilder& builder) {
      const Cut blocks{0, info_.blocks()}, windows{0, facts_.calibration->held_out_windows()};
      auto* params = builder.spec().mutable_reference();
      SetRange(windows, params->mutable_windows());
      SetRange(blocks, params->mutable_blocks());
      params->set_window(window_);
      params->set_compute(job_.recipe.evaluation().compute());
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Link(TaskFile::kIds, calibration_key_, TaskFile::kHeldOut)
          .Needs(live_.Reference(windows.size(), window_, job_.recipe.evaluation().compute()),
                 costs_.ReferenceFlops(blocks, windows.size()))
          .Numeric();
    });
  }

  void HeldOutEvaluate(int candidate) {
    Add(TaskKey(TaskKind::kEvaluate, TaskUse::kHeldOut, candidate), [&](NodeBuilder& builder) {
      SetRange({0, facts_.calibration->held_out_windows()}, builder.spec().mutable_evaluate()->mutable_windows());
      builder.Link(TaskFile::kHidden, TaskKey(TaskKind::kReference, TaskUse::kHeldOut), TaskFile::kHidden)
          .Link(TaskFile::kIds, calibration_key_, TaskFile::kHeldOut);
      Evaluate(builder, candidate, window_, costs_);
    });
  }

  void Select(const std::vector<int>& plans) {
    Add(TaskKind::kSelect, [&](NodeBuilder& builder) {
      const int shards = static_cast<int>(cuts_.evaluation.size());
      const double tokens = static_cast<double>(evaluation_windows_) * job_.evaluation_window();
      auto* params = builder.spec().mutable_select();
      params->set_target(job_.spec.target());
      *params->mutable_budget() = job_.spec.budget();
      for (const int plan : plans) params->add_plans(plan);
      params->set_shards(shards);
      SetTextShards(*params);
      if (whole()) *params->mutable_card() = Card();
      builder.Files(inputs_, ModelFiles::kCarried)
          .Input(TaskFile::kInfo, job_.info)
          .Link(TaskFile::kAllocation, TaskKind::kAllocate, TaskFile::kAllocation)
          .Needs(LiveSets::Small(), 100.0 * static_cast<double>(plans.size()) * tokens);
      if (Chooses()) builder.Link(TaskFile::kChoice, TaskKind::kChoose, TaskFile::kChoice);
      for (size_t p = 0; p < plans.size(); ++p) {
        for (int i = 0; i < shards; ++i)
          builder.Link(Numbered(TaskFile::kTokens, p, i), TaskKey(TaskKind::kEvaluate, plans[p], i), TaskFile::kTokens);
      }
    });
  }

  // Where there are several texts.
  void SetTextShards(v1::SelectParams& params) const {
    const int texts = job_.spec.evaluation_size();
    if (texts == 1) return;
    params.mutable_text_shards()->Resize(texts, 0);
    for (const EvaluationCut& cut : cuts_.evaluation) {
      params.set_text_shards(cut.text, params.text_shards(cut.text) + 1);
    }
  }

  v1::CardFacts Card() const {
    v1::CardFacts card;
    card.set_model(job_.model->display_name());
    card.set_recipe(job_.recipe.name());
    card.set_calibration_tokens(int64_t{facts_.calibration->windows()} * window_);
    card.set_evaluation_tokens(evaluation_windows_ * job_.evaluation_window());
    card.set_window(job_.evaluation_window());
    card.set_evaluation_compute(job_.recipe.evaluation().compute());
    return card;
  }

  // The spec without what may differ between two jobs whose reports are equal: scheduling, and the ids and names that
  // the server or a person gave. The digests of the data are in the provenance.
  v1::JobSpec ComparableSpec() const {
    v1::JobSpec spec = job_.spec;
    spec.clear_model();
    spec.clear_display_name();
    spec.clear_inline_recipe();
    spec.clear_priority();
    spec.clear_labels();
    for (v1::Data& data : *spec.mutable_calibration()) data.clear_blob();
    for (v1::Data& data : *spec.mutable_evaluation()) data.clear_blob();
    for (v1::ChoiceFile& file : *spec.mutable_choices()) file.clear_blob();
    return spec;
  }

  const std::string calibration_key_ = TaskKey(TaskKind::kTokenize, TaskUse::kCalibration);
  const ResolvedJob& job_;
  const Facts& facts_;
  const NodeDetail detail_;
  const size_t known_;
  const ModelInputs inputs_;
  const v1::ModelInfo& info_;
  const int window_;  // of calibration
  const Costs costs_;
  const Costs evaluation_costs_;
  const LiveSets live_;
  Cuts cuts_;
  int64_t evaluation_windows_ = 0;  // of all texts
  std::vector<TaskNode> nodes_;
};

}  // namespace

absl::StatusOr<Expansion> Expand(const ResolvedJob& job, const Facts& facts, const GraphDetail& wanted) {
  if (job.target() == nullptr) return ModelOutdatedError(job.spec.model());
  ABSL_RETURN_IF_ERROR(CheckLengths(job.spec, facts));
  Expander expander(job, facts, wanted);
  expander.Tokenize();
  const auto evaluation = EvaluationSummaries(job.spec, facts);
  const bool tokenized = facts.calibration && evaluation;
  const bool planned = tokenized && facts.allocation;
  const bool chosen = planned && (facts.choice || !expander.Chooses());
  const auto questions = QuestionSummaries(job.spec, facts);
  const bool selected = chosen && facts.selection && questions;
  const bool proved = selected && facts.provenance;
  if (tokenized) expander.Analyze(*evaluation);
  if (planned) expander.Quantize();
  if (planned && expander.Chooses()) expander.Choose();
  if (chosen) expander.Measure(expander.PlansToMeasure());
  if (selected) {
    expander.Assemble();
    expander.Answer(*questions);
  }
  if (proved) expander.Report();
  return Expansion{expander.Take(), proved};
}

}  // namespace bitwright::server
