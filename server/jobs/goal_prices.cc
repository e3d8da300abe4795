#include "server/jobs/goal_prices.h"

#include <utility>

#include "proto/contract/task_names.h"
#include "server/jobs/expand_texts.h"
#include "server/jobs/recipe_check.h"

namespace bitwright::server {
namespace {

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

}  // namespace

GoalPrices::GoalPrices(const GoalContext& goal, int prices)
    : goal_(goal),
      prices_(prices),
      cuts_(CutGoal(goal.all.info, goal.target, goal.recipe, goal.all.cuts, goal.window)) {}

void GoalPrices::Add() {
  if (prices_ != goal_.goal) return;
  for (int j = 0; j < static_cast<int>(cuts_.profiles.size()); ++j) Profile(j);
  if (goal_.StoresEnds()) ProfileEnds();
  for (int j = 0; j < static_cast<int>(cuts_.checks.size()); ++j) Check(j);
}

void GoalPrices::Link(NodeBuilder& allocate) const {
  const auto link = [&](const char* file, size_t number, std::string key) {
    allocate.Link(Numbered(file, static_cast<int>(number)), GoalKey(std::move(key), prices_), file);
  };
  const size_t profiles = cuts_.profiles.size();
  for (size_t j = 0; j < profiles; ++j) {
    link(TaskFile::kSensitivity, j, TaskKey(TaskKind::kProfile, static_cast<int>(j)));
  }
  if (goal_.StoresEnds()) link(TaskFile::kSensitivity, profiles, TaskKey(TaskKind::kProfile, TaskUse::kEnds));
  for (size_t j = 0; j < cuts_.checks.size(); ++j) {
    link(TaskFile::kChecks, j, TaskKey(TaskKind::kCheck, static_cast<int>(j)));
  }
}

void GoalPrices::Profile(int index) {
  goal_.all.Add(goal_.Key(TaskKey(TaskKind::kProfile, index)), [&](NodeBuilder& builder) {
    const ProfileCut& cut = cuts_.profiles[static_cast<size_t>(index)];
    auto* params = builder.spec().mutable_profile();
    SetRange(cut.blocks, params->mutable_blocks());
    params->set_target(goal_.target_name());
    if (goal_.all.whole()) *params->mutable_recipe() = ProfiledPart(goal_.recipe);
    builder.Files(goal_.all.inputs, ModelFiles::kNumeric)
        .Needs(goal_.live.Profile(), goal_.costs.ProfileFlops(cut.blocks))
        .Numeric();
    goal_.shared.LinkStatistics(builder, cut.range);
    for (int i = 0; i < static_cast<int>(goal_.all.cuts.curvature.size()); ++i)
      builder.Link(Numbered(TaskFile::kCurvature, i), TaskKey(TaskKind::kCurvature, i, cut.range),
                   TaskFile::kCurvature);
  });
}

void GoalPrices::ProfileEnds() {
  goal_.all.Add(goal_.Key(TaskKey(TaskKind::kProfile, TaskUse::kEnds)), [&](NodeBuilder& builder) {
    auto* params = builder.spec().mutable_profile();
    params->set_ends(true);
    params->set_target(goal_.target_name());
    params->set_window(goal_.window);
    params->set_windows(goal_.all.facts.calibration->windows());
    if (goal_.all.whole()) *params->mutable_recipe() = ProfiledPart(goal_.recipe);
    builder.Files(goal_.all.inputs, ModelFiles::kNumeric)
        .Link(TaskFile::kIds, CalibrationKey(), TaskFile::kIds)
        .Needs(goal_.live.Ends(), goal_.costs.ProfileEndsFlops())
        .Numeric();
    goal_.shared.LinkEnds(builder);
  });
}

void GoalPrices::Check(int index) {
  goal_.all.Add(goal_.Key(TaskKey(TaskKind::kCheck, index)), [&](NodeBuilder& builder) {
    const CheckCut& cut = cuts_.checks[static_cast<size_t>(index)];
    const Cut blocks = goal_.all.cuts.ranges[static_cast<size_t>(cut.range)];
    const int windows = goal_.all.cuts.curvature[0].size();
    auto* params = builder.spec().mutable_check();
    goal_.shared.SetProfileWindows(0, *params);
    SetRange(blocks, params->mutable_blocks());
    params->set_target(goal_.target_name());
    for (const int unit : cut.units) params->add_units(goal_.all.info.units(unit).name());
    if (goal_.all.whole()) *params->mutable_recipe() = CheckedPart(goal_.recipe);
    builder.Files(goal_.all.inputs, ModelFiles::kNumeric)
        .Link(TaskFile::kHidden, SharedNodes::ProfileReferenceKey(0, goal_.shared.last_range()), TaskFile::kHidden)
        .Needs(goal_.live.Check(cut.units, goal_.costs.Measurements(), windows, goal_.window),
               goal_.costs.CheckFlops(blocks, cut.units, windows))
        .Numeric();
    goal_.shared.LinkEntering(builder, 0, cut.range);
    goal_.shared.LinkStatistics(builder, cut.range);
  });
}

}  // namespace bitwright::server
