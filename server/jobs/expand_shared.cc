#include "server/jobs/expand_shared.h"

#include "proto/contract/task_names.h"
#include "server/jobs/expand_answers.h"
#include "server/jobs/expand_texts.h"
#include "server/jobs/recipe_check.h"
#include "server/jobs/texts.h"

namespace bitwright::server {

// Memory is bounded by what the first target asks for.
SharedNodes::SharedNodes(ExpandContext& context)
    : context_(context),
      window_(context.job.calibration_window()),
      costs_(context.info, *context.job.target(0), context.job.recipe, window_),
      evaluation_costs_(context.info, *context.job.target(0), context.job.recipe, context.job.evaluation_window()),
      live_(context.info, context.job.recipe.rounding(), context.job.target(0)) {}

void SharedNodes::Analyze() {
  const Cuts& cuts = context_.cuts;
  for (size_t i = 0; i < cuts.evaluation.size(); ++i) {
    Reference(TaskKey(TaskKind::kReference, static_cast<int>(i)), cuts.evaluation[i]);
  }
  for (int j = 0; j <= last_range(); ++j) {
    for (size_t i = 0; i < cuts.shards.size(); ++i) Calibrate(static_cast<int>(i), j);
    if (Merges()) Merge(j);
  }
  for (int i = 0; i < static_cast<int>(cuts.curvature.size()); ++i) {
    for (int j = 0; j <= last_range(); ++j) ProfileReference(i, j);
    for (int j = last_range(); j >= 0; --j) Curvature(i, j);
  }
  for (int k = 0; k < static_cast<int>(cuts.checks.size()); ++k) Check(k);
}

void SharedNodes::Answer(const std::vector<v1::QuestionsSummary>& files) {
  AddAnswers(context_, {.goal = {}, .live = live_, .costs = costs_, .link_weights = {}}, files);
}

std::string SharedNodes::ProfileReferenceKey(int shard, int range) {
  return TaskKey(TaskKind::kReference, TaskUse::kProfile, shard, range);
}

void SharedNodes::Reference(const std::string& key, const EvaluationCut& cut) {
  context_.Add(key, [&](NodeBuilder& builder) {
    const Cut windows = cut.windows;
    const Cut blocks{0, context_.info.blocks()};
    auto* params = builder.spec().mutable_reference();
    SetRange(windows, params->mutable_windows());
    SetRange(blocks, params->mutable_blocks());
    params->set_window(context_.job.evaluation_window());
    params->set_compute(context_.job.recipe.evaluation().compute());
    builder.Files(context_.inputs, ModelFiles::kNumeric)
        .Link(TaskFile::kIds, EvaluationKey(cut.text), TaskFile::kIds)
        .Needs(live_.Reference(windows.size(), context_.job.evaluation_window(),
                               context_.job.recipe.evaluation().compute()),
               evaluation_costs_.ReferenceFlops(blocks, windows.size()))
        .Numeric();
  });
}

void SharedNodes::LinkEntering(NodeBuilder& builder, int shard, int range) const {
  builder.Link(TaskFile::kIds, CalibrationKey(), TaskFile::kIds);
  if (range > 0) builder.Link(TaskFile::kActivations, ProfileReferenceKey(shard, range - 1), TaskFile::kActivations);
}

// Units are priced and measured in f32 whatever the evaluation computes in: bf16 puts a floor under what is to be
// measured.
void SharedNodes::ProfileReference(int shard, int range) {
  context_.Add(ProfileReferenceKey(shard, range), [&](NodeBuilder& builder) {
    const int windows = context_.cuts.curvature[shard].size();
    auto* params = builder.spec().mutable_reference();
    SetProfileWindows(shard, *params);
    SetRange(context_.cuts.ranges[range], params->mutable_blocks());
    params->set_compute(v1::COMPUTE_TYPE_F32);
    builder.Files(context_.inputs, ModelFiles::kNumeric)
        .Needs(live_.Reference(windows, window_, v1::COMPUTE_TYPE_F32),
               costs_.ReferenceFlops(context_.cuts.ranges[range], windows))
        .Numeric();
    LinkEntering(builder, shard, range);
  });
}

void SharedNodes::Curvature(int shard, int range) {
  context_.Add(TaskKey(TaskKind::kCurvature, shard, range), [&](NodeBuilder& builder) {
    const int windows = context_.cuts.curvature[shard].size();
    auto* params = builder.spec().mutable_curvature();
    SetProfileWindows(shard, *params);
    SetRange(context_.cuts.ranges[range], params->mutable_blocks());
    builder.Files(context_.inputs, ModelFiles::kNumeric)
        .Needs(live_.Curvature(context_.cuts.ranges[range].size(), windows, window_),
               costs_.CurvatureFlops(context_.cuts.ranges[range], windows))
        .Numeric();
    LinkEntering(builder, shard, range);
    if (range + 1 < static_cast<int>(context_.cuts.ranges.size()))
      builder.Link(TaskFile::kGradients, TaskKey(TaskKind::kCurvature, shard, range + 1), TaskFile::kGradients);
  });
}

void SharedNodes::Calibrate(int shard, int range) {
  context_.Add(TaskKey(TaskKind::kCalibrate, shard, range), [&](NodeBuilder& builder) {
    const Cut windows = context_.cuts.shards[shard];
    const Cut blocks = context_.cuts.ranges[range];
    auto* params = builder.spec().mutable_calibrate();
    SetRange(windows, params->mutable_windows());
    SetRange(blocks, params->mutable_blocks());
    params->set_window(window_);
    params->set_compute(context_.job.recipe.calibration().compute());
    params->set_last(range + 1 == static_cast<int>(context_.cuts.ranges.size()));
    const bool factorizes = Factorizes() && !Merges();
    if (factorizes) *params->mutable_factoring() = Factoring();
    builder.Files(context_.inputs, ModelFiles::kNumeric)
        .Link(TaskFile::kIds, CalibrationKey(), TaskFile::kIds)
        .Needs(live_.Calibrate(windows.size(), window_, context_.job.recipe.calibration().compute(), factorizes),
               costs_.CalibrateFlops(blocks, windows.size(), factorizes))
        .Numeric();
    if (range > 0)
      builder.Link(TaskFile::kActivations, TaskKey(TaskKind::kCalibrate, shard, range - 1), TaskFile::kActivations);
  });
}

void SharedNodes::Merge(int range) {
  context_.Add(TaskKey(TaskKind::kMerge, range), [&](NodeBuilder& builder) {
    const int shards = static_cast<int>(context_.cuts.shards.size());
    auto* params = builder.spec().mutable_merge();
    if (Factorizes()) *params->mutable_factoring() = Factoring();
    for (int i = 0; i < shards; ++i)
      builder.Link(Numbered(TaskFile::kStatistics, i), TaskKey(TaskKind::kCalibrate, i, range), TaskFile::kStatistics);
    builder.Needs(live_.Merge(), costs_.MergeFlops(context_.cuts.ranges[range], shards)).Numeric();
  });
}

void SharedNodes::Check(int index) {
  context_.Add(TaskKey(TaskKind::kCheck, index), [&](NodeBuilder& builder) {
    const CheckCut& cut = context_.cuts.checks[static_cast<size_t>(index)];
    const Cut blocks = context_.cuts.ranges[static_cast<size_t>(cut.range)];
    const int windows = context_.cuts.curvature[0].size();
    auto* params = builder.spec().mutable_check();
    SetProfileWindows(0, *params);
    SetRange(blocks, params->mutable_blocks());
    for (const int unit : cut.units) params->add_units(context_.info.units(unit).name());
    if (context_.whole()) *params->mutable_recipe() = CheckedPart(context_.job.recipe);
    builder.Files(context_.inputs, ModelFiles::kNumeric)
        .Link(TaskFile::kHidden, ProfileReferenceKey(0, last_range()), TaskFile::kHidden)
        .Needs(live_.Check(cut.units, costs_.Measurements(), windows, window_),
               costs_.CheckFlops(blocks, cut.units, windows))
        .Numeric();
    LinkEntering(builder, 0, cut.range);
    LinkMoments(builder, cut.range);
  });
}

// Whoever writes the statistics that are rounded by factorizes them: once for all tasks, in the same bytes.
bool SharedNodes::Factorizes() const { return context_.job.recipe.rounding().method() == v1::ROUNDING_METHOD_GPTQ; }

v1::Factoring SharedNodes::Factoring() const {
  v1::Factoring factoring;
  factoring.set_act_order(context_.job.recipe.rounding().act_order());
  factoring.set_damping(context_.job.recipe.rounding().damping());
  return factoring;
}

void SharedNodes::LinkStatistics(NodeBuilder& builder, int range) const {
  builder.Link(TaskFile::kStatistics,
               Merges() ? TaskKey(TaskKind::kMerge, range) : TaskKey(TaskKind::kCalibrate, 0, range),
               TaskFile::kStatistics);
}

void SharedNodes::LinkMoments(NodeBuilder& builder, int range) const {
  LinkStatistics(builder, range);
  for (int i = 0; i < static_cast<int>(context_.cuts.curvature.size()); ++i) {
    builder.Link(Numbered(TaskFile::kCurvature, i), TaskKey(TaskKind::kCurvature, i, range), TaskFile::kCurvature);
  }
}

void SharedNodes::LinkChecks(NodeBuilder& builder) const {
  for (int k = 0; k < static_cast<int>(context_.cuts.checks.size()); ++k) {
    builder.Link(Numbered(TaskFile::kChecks, k), TaskKey(TaskKind::kCheck, k), TaskFile::kChecks);
  }
}

// Held-out windows of the calibration text: computed in as the evaluation is.
void SharedNodes::HeldOutReference() {
  context_.Add(TaskKey(TaskKind::kReference, TaskUse::kHeldOut), [&](NodeBuilder& builder) {
    const Cut blocks{0, context_.info.blocks()}, windows{0, context_.facts.calibration->held_out_windows()};
    auto* params = builder.spec().mutable_reference();
    SetRange(windows, params->mutable_windows());
    SetRange(blocks, params->mutable_blocks());
    params->set_window(window_);
    params->set_compute(context_.job.recipe.evaluation().compute());
    builder.Files(context_.inputs, ModelFiles::kNumeric)
        .Link(TaskFile::kIds, CalibrationKey(), TaskFile::kHeldOut)
        .Needs(live_.Reference(windows.size(), window_, context_.job.recipe.evaluation().compute()),
               costs_.ReferenceFlops(blocks, windows.size()))
        .Numeric();
  });
}

// What the curvature tells of the ends: of the first blocks, and where they are others, of the last.
void SharedNodes::LinkEnds(NodeBuilder& builder) const {
  const int last = static_cast<int>(context_.cuts.ranges.size()) - 1;
  size_t next = 0;
  for (const int range : last == 0 ? std::vector<int>{0} : std::vector<int>{0, last}) {
    for (size_t i = 0; i < context_.cuts.curvature.size(); ++i)
      builder.Link(Numbered(TaskFile::kEnds, next++), TaskKey(TaskKind::kCurvature, i, range), TaskFile::kEnds);
  }
}

}  // namespace bitwright::server
