#include "server/jobs/goal_prices.h"

#include <utility>

#include "proto/contract/task_names.h"
#include "server/jobs/expand_texts.h"
#include "server/jobs/recipe_check.h"

namespace bitwright::server {

GoalPrices::GoalPrices(const GoalContext& goal, int prices)
    : goal_(goal), prices_(prices), profiles_(CutProfiles(goal.costs, goal.all.cuts)) {}

void GoalPrices::Add() {
  if (prices_ != goal_.goal) return;
  for (int j = 0; j < static_cast<int>(profiles_.size()); ++j) Profile(j);
  if (goal_.StoresEnds()) ProfileEnds();
}

void GoalPrices::Link(NodeBuilder& allocate) const {
  const auto link = [&](int number, std::string key) {
    allocate.Link(Numbered(TaskFile::kSensitivity, number), GoalKey(std::move(key), prices_), TaskFile::kSensitivity);
  };
  const int profiles = static_cast<int>(profiles_.size());
  for (int j = 0; j < profiles; ++j) link(j, TaskKey(TaskKind::kProfile, j));
  if (goal_.StoresEnds()) link(profiles, TaskKey(TaskKind::kProfile, TaskUse::kEnds));
}

void GoalPrices::Profile(int index) {
  goal_.all.Add(goal_.Key(TaskKey(TaskKind::kProfile, index)), [&](NodeBuilder& builder) {
    const ProfileCut& cut = profiles_[static_cast<size_t>(index)];
    auto* params = builder.spec().mutable_profile();
    SetRange(cut.blocks, params->mutable_blocks());
    params->set_target(goal_.target_name());
    if (goal_.all.whole()) *params->mutable_recipe() = ProfiledPart(goal_.recipe);
    builder.Files(goal_.all.inputs, ModelFiles::kNumeric)
        .Needs(goal_.live.Profile(), goal_.costs.ProfileFlops(cut.blocks))
        .Numeric();
    goal_.shared.LinkMoments(builder, cut.range);
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

}  // namespace bitwright::server
