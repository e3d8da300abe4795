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

namespace bitwright::server {
namespace {

constexpr double kFlopsPerTokenizedByte = 100;

void SetRange(Cut cut, v1::Range* range) {
  range->set_begin(cut.begin);
  range->set_end(cut.end);
}

absl::Status CheckLength(const char* use, const v1::TokenizeSummary& summary) {
  if (summary.windows() >= 1) return absl::OkStatus();
  return DataTooShortError(use, summary.tokens_in_file(), summary.window());
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

// What sensitivities depend on: recipes that differ elsewhere share them through the action cache.
v1::Recipe ProfiledPart(v1::Recipe recipe) {
  recipe.clear_candidates();
  return PartsOf(std::move(recipe));
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
        window_(job.spec.calibration().window()),
        costs_(info_, job.recipe, window_),
        evaluation_costs_(info_, job.recipe, job.spec.evaluation().window()) {}

  void Tokenize() {
    Tokenize(calibration_key_, job_.spec.calibration());
    Tokenize(evaluation_key_, job_.spec.evaluation());
  }

  void Measure() {
    cuts_ = CutJob(info_, job_.recipe, facts_.calibration->windows(), window_, facts_.evaluation->windows());
    for (size_t i = 0; i < cuts_.evaluation.size(); ++i) {
      Reference(TaskKey(TaskKind::kReference, i), evaluation_key_, cuts_.evaluation[i], evaluation_costs_,
                job_.spec.evaluation().window(), job_.recipe.evaluation().compute());
    }
    for (size_t j = 0; j < cuts_.ranges.size(); ++j) {
      for (size_t i = 0; i < cuts_.shards.size(); ++i) Calibrate(i, j);
      if (cuts_.shards.size() > 1) Merge(j);
    }
    ProfileReference();
    for (size_t j = 0; j < cuts_.profiles.size(); ++j) Profile(j);
    Allocate();
  }

  void Compare() {
    const int candidates = facts_.allocation->candidates_size();
    for (int c = 0; c < candidates; ++c) {
      for (size_t j = 0; j < cuts_.ranges.size(); ++j) Quantize(c, j);
      for (size_t i = 0; i < cuts_.evaluation.size(); ++i) Evaluate(c, i);
    }
    Select(candidates);
  }

  void Assemble() {
    Add(TaskKind::kAssemble, [&](NodeBuilder& builder) {
      auto* params = builder.spec().mutable_assemble();
      params->set_candidate(facts_.selection->selected());
      if (whole()) *params->mutable_card() = Card();
      builder.Files(inputs_, ModelFiles::kAll)
          .Input(TaskFile::kInfo, job_.info)
          .Link(TaskFile::kAllocation, TaskKind::kAllocate, TaskFile::kAllocation)
          .Link(TaskFile::kSelection, TaskKind::kSelect, TaskFile::kSelection)
          .Needs(Costs::SmallBytes(), static_cast<double>(info_.model_bytes()));
      LinkWeights(builder, facts_.selection->selected());
    });
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
          .Needs(Costs::SmallBytes(), 0);
    });
  }

  std::vector<TaskNode> Take() { return std::move(nodes_); }

 private:
  bool whole() const { return detail_ == NodeDetail::kWhole; }

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

  void Tokenize(const std::string& key, const v1::Data& data) {
    Add(key, [&](NodeBuilder& builder) {
      auto* params = builder.spec().mutable_tokenize();
      params->set_kind(data.kind());
      params->set_window(data.window());
      params->set_max_tokens(data.tokens());
      params->set_add_special_tokens(data.add_special_tokens());
      params->set_vocab_size(info_.vocab_size());
      builder.Files(inputs_, TokenizerFiles(data.kind()))
          .Input(TaskFile::kData, data.blob())
          .Needs(Costs::SmallBytes(), kFlopsPerTokenizedByte * static_cast<double>(data.blob().size_bytes()));
    });
  }

  void Reference(const std::string& key, const std::string& ids, Cut windows, const Costs& costs, int window,
                 v1::ComputeType compute, int stride = 0) {
    Add(key, [&](NodeBuilder& builder) {
      auto* params = builder.spec().mutable_reference();
      SetRange(windows, params->mutable_windows());
      params->set_window(window);
      params->set_compute(compute);
      params->set_stride(stride);
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Link(TaskFile::kIds, ids, TaskFile::kIds)
          .Needs(costs.ReferenceBytes(windows.size()), costs.ReferenceFlops(windows.size()))
          .Numeric();
    });
  }

  // Units are measured in f32 whatever the evaluation computes in: bf16 puts a floor under what is to be measured.
  void ProfileReference() {
    Reference(profile_reference_key_, calibration_key_, {0, cuts_.profile_windows}, costs_, window_,
              v1::COMPUTE_TYPE_F32, cuts_.profile_stride);
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
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Link(TaskFile::kIds, calibration_key_, TaskFile::kIds)
          .Needs(costs_.CalibrateBytes(windows.size()), costs_.CalibrateFlops(blocks, windows.size()))
          .Numeric();
      if (range > 0)
        builder.Link(TaskFile::kActivations, TaskKey(TaskKind::kCalibrate, shard, range - 1), TaskFile::kActivations);
    });
  }

  void Merge(int range) {
    Add(TaskKey(TaskKind::kMerge, range), [&](NodeBuilder& builder) {
      const int shards = static_cast<int>(cuts_.shards.size());
      builder.spec().mutable_merge();
      for (int i = 0; i < shards; ++i)
        builder.Link(Numbered(TaskFile::kStatistics, i), TaskKey(TaskKind::kCalibrate, i, range),
                     TaskFile::kStatistics);
      builder.Needs(costs_.MergeBytes(), costs_.MergeFlops(cuts_.ranges[range], shards)).Numeric();
    });
  }

  void LinkStatistics(NodeBuilder& builder, int range) {
    const bool merged = cuts_.shards.size() > 1;
    builder.Link(TaskFile::kStatistics,
                 merged ? TaskKey(TaskKind::kMerge, range) : TaskKey(TaskKind::kCalibrate, 0, range),
                 TaskFile::kStatistics);
  }

  void Profile(int index) {
    Add(TaskKey(TaskKind::kProfile, index), [&](NodeBuilder& builder) {
      const ProfileCut& cut = cuts_.profiles[index];
      auto* params = builder.spec().mutable_profile();
      SetRange(cut.blocks, params->mutable_blocks());
      SetRange({0, cuts_.profile_windows}, params->mutable_windows());
      params->set_stride(cuts_.profile_stride);
      params->set_window(window_);
      if (whole()) *params->mutable_recipe() = ProfiledPart(job_.recipe);
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Link(TaskFile::kHidden, profile_reference_key_, TaskFile::kHidden)
          .Link(TaskFile::kIds, calibration_key_, TaskFile::kIds)
          .Needs(costs_.ProfileBytes(cuts_.profile_windows), costs_.ProfileFlops(cut.blocks, cuts_.profile_windows))
          .Numeric();
      LinkStatistics(builder, cut.range);
    });
  }

  void Allocate() {
    Add(TaskKind::kAllocate, [&](NodeBuilder& builder) {
      auto* params = builder.spec().mutable_allocate();
      *params->mutable_budget() = job_.spec.budget();
      if (whole()) *params->mutable_recipe() = PartsOf(job_.recipe);
      builder.Input(TaskFile::kInfo, job_.info).Needs(Costs::SmallBytes(), 1e4 * info_.units_size());
      for (size_t j = 0; j < cuts_.profiles.size(); ++j) {
        builder.Link(Numbered(TaskFile::kSensitivity, j), TaskKey(TaskKind::kProfile, j), TaskFile::kSensitivity);
      }
    });
  }

  void Quantize(int candidate, int range) {
    Add(TaskKey(TaskKind::kQuantize, candidate, range), [&](NodeBuilder& builder) {
      const Cut blocks = cuts_.ranges[range];
      const v1::Plan& plan = facts_.allocation->candidates(candidate);
      auto* params = builder.spec().mutable_quantize();
      SetRange(blocks, params->mutable_blocks());
      *params->mutable_rounding() = job_.recipe.rounding();
      // Plan.units are in the order of ModelInfo.units.
      const int units = whole() ? std::min(plan.units_size(), info_.units_size()) : 0;
      for (int u = 0; u < units; ++u) {
        if (info_.units(u).block() < blocks.begin || info_.units(u).block() >= blocks.end) continue;
        auto* unit = params->add_units();
        unit->set_unit(plan.units(u).unit());
        *unit->mutable_format() = plan.units(u).format();
      }
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Needs(costs_.QuantizeBytes(), costs_.QuantizeFlops(blocks))
          .Numeric();
      LinkStatistics(builder, range);
    });
  }

  void LinkWeights(NodeBuilder& builder, int candidate) {
    for (size_t j = 0; j < cuts_.ranges.size(); ++j) {
      builder.Link(Numbered(TaskFile::kWeights, j), TaskKey(TaskKind::kQuantize, candidate, j), TaskFile::kWeights);
    }
  }

  void Evaluate(int candidate, int shard) {
    Add(TaskKey(TaskKind::kEvaluate, candidate, shard), [&](NodeBuilder& builder) {
      const Cut windows = cuts_.evaluation[shard];
      auto* params = builder.spec().mutable_evaluate();
      SetRange(windows, params->mutable_windows());
      params->set_window(job_.spec.evaluation().window());
      params->set_compute(job_.recipe.evaluation().compute());
      builder.Files(inputs_, ModelFiles::kNumeric)
          .Link(TaskFile::kHidden, TaskKey(TaskKind::kReference, shard), TaskFile::kHidden)
          .Link(TaskFile::kIds, evaluation_key_, TaskFile::kIds)
          .Needs(evaluation_costs_.EvaluateBytes(windows.size()), evaluation_costs_.EvaluateFlops(windows.size()))
          .Numeric();
      LinkWeights(builder, candidate);
    });
  }

  void Select(int candidates) {
    Add(TaskKind::kSelect, [&](NodeBuilder& builder) {
      const int shards = static_cast<int>(cuts_.evaluation.size());
      auto* params = builder.spec().mutable_select();
      *params->mutable_budget() = job_.spec.budget();
      params->set_candidates(candidates);
      params->set_shards(shards);
      if (whole()) *params->mutable_card() = Card();
      builder.Files(inputs_, ModelFiles::kCarried)
          .Input(TaskFile::kInfo, job_.info)
          .Link(TaskFile::kAllocation, TaskKind::kAllocate, TaskFile::kAllocation)
          .Needs(Costs::SmallBytes(), 100.0 * candidates * facts_.evaluation->windows() * facts_.evaluation->window());
      for (int c = 0; c < candidates; ++c) {
        for (int i = 0; i < shards; ++i)
          builder.Link(Numbered(TaskFile::kTokens, c, i), TaskKey(TaskKind::kEvaluate, c, i), TaskFile::kTokens);
      }
    });
  }

  v1::CardFacts Card() const {
    v1::CardFacts card;
    card.set_model(job_.model->display_name());
    card.set_recipe(job_.recipe.name());
    card.set_calibration_tokens(int64_t{facts_.calibration->windows()} * window_);
    card.set_evaluation_tokens(int64_t{facts_.evaluation->windows()} * job_.spec.evaluation().window());
    card.set_window(job_.spec.evaluation().window());
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
    spec.mutable_calibration()->clear_blob();
    spec.mutable_evaluation()->clear_blob();
    return spec;
  }

  const std::string calibration_key_ = TaskKey(TaskKind::kTokenize, TaskUse::kCalibration);
  const std::string evaluation_key_ = TaskKey(TaskKind::kTokenize, TaskUse::kEvaluation);
  const std::string profile_reference_key_ = TaskKey(TaskKind::kReference, TaskUse::kProfile);
  const ResolvedJob& job_;
  const Facts& facts_;
  const NodeDetail detail_;
  const size_t known_;
  const ModelInputs inputs_;
  const v1::ModelInfo& info_;
  const int window_;  // of calibration
  const Costs costs_;
  const Costs evaluation_costs_;
  Cuts cuts_;
  std::vector<TaskNode> nodes_;
};

}  // namespace

absl::StatusOr<Expansion> Expand(const ResolvedJob& job, const Facts& facts, const GraphDetail& wanted) {
  if (facts.calibration) ABSL_RETURN_IF_ERROR(CheckLength(TaskUse::kCalibration, *facts.calibration));
  if (facts.evaluation) ABSL_RETURN_IF_ERROR(CheckLength(TaskUse::kEvaluation, *facts.evaluation));
  Expander expander(job, facts, wanted);
  expander.Tokenize();
  const bool measured = facts.calibration && facts.evaluation;
  const bool planned = measured && facts.allocation;
  const bool selected = planned && facts.selection;
  const bool proved = selected && facts.provenance;
  if (measured) expander.Measure();
  if (planned) expander.Compare();
  if (selected) expander.Assemble();
  if (proved) expander.Report();
  return Expansion{expander.Take(), proved};
}

TaskNode InspectNode(const v1::Manifest& manifest) {
  double bytes = 0;
  for (const auto& file : manifest.files()) bytes += static_cast<double>(file.digest().size_bytes());
  NodeBuilder builder(TaskKind::kInspect);
  builder.spec().mutable_inspect();
  return builder.Files(manifest).Needs(Costs::SmallBytes(), bytes).Build();
}

}  // namespace bitwright::server
