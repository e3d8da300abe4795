#include "server/jobs/goal_plans.h"

#include "proto/contract/task_names.h"
#include "server/jobs/expand_texts.h"
#include "server/jobs/texts.h"

namespace bitwright::server {

void GoalPlans::QuantizeAll() {
  for (int j = 0; j <= goal_.shared.last_range(); ++j) QuantizeRange(j, {});
  if (goal_.StoresEnds()) QuantizeEnds({});
}

// Those of the target's units that are wanted, with their formats in every plan, or in one.
template <typename Wanted>
void GoalPlans::AddUnits(const Wanted& wanted, std::optional<int> plan, v1::QuantizeParams& params) const {
  for (int u = 0; goal_.all.whole() && u < goal_.target.units_size(); ++u) {
    if (!wanted(goal_.all.info.units(u))) continue;
    auto* unit = params.add_units();
    unit->set_name(goal_.all.info.units(u).name());
    // Plan.units are in the order of TargetInfo.units.
    for (int c = plan.value_or(0); c < (plan ? *plan + 1 : goal_.candidates()); ++c) {
      const v1::Plan& one = goal_.facts.allocation->candidates(c);
      if (u < one.units_size()) *unit->add_formats() = one.units(u).format();
    }
  }
}

// All plans at once: those that agree on a unit share its rounding.
void GoalPlans::QuantizeRange(int range, std::optional<int> plan) {
  const std::string key =
      plan ? TaskKey(TaskKind::kQuantize, TaskUse::kPlan, *plan, range) : TaskKey(TaskKind::kQuantize, range);
  goal_.all.Add(goal_.Key(key), [&](NodeBuilder& builder) {
    const Cut blocks = goal_.all.cuts.ranges[static_cast<size_t>(range)];
    auto* params = builder.spec().mutable_quantize();
    SetRange(blocks, params->mutable_blocks());
    *params->mutable_rounding() = goal_.recipe.rounding();
    AddUnits([&](const v1::UnitInfo& unit) { return unit.block() >= blocks.begin && unit.block() < blocks.end; }, plan,
             *params);
    builder.Files(goal_.all.inputs, ModelFiles::kNumeric)
        .Needs(goal_.live.Quantize(), goal_.costs.QuantizeFlops(blocks, plan ? 1 : goal_.candidates()))
        .Numeric();
    goal_.shared.LinkStatistics(builder, range);
  });
}

void GoalPlans::QuantizeEnds(std::optional<int> plan) {
  const std::string key =
      plan ? TaskKey(TaskKind::kQuantize, TaskUse::kEnds, *plan) : TaskKey(TaskKind::kQuantize, TaskUse::kEnds);
  goal_.all.Add(goal_.Key(key), [&](NodeBuilder& builder) {
    auto* params = builder.spec().mutable_quantize();
    params->set_ends(true);
    *params->mutable_rounding() = goal_.recipe.rounding();
    AddUnits([](const v1::UnitInfo& unit) { return unit.block() < 0; }, plan, *params);
    builder.Files(goal_.all.inputs, ModelFiles::kNumeric)
        .Needs(goal_.live.Ends(), goal_.costs.QuantizeEndsFlops(plan ? 1 : goal_.candidates()))
        .Numeric();
    goal_.shared.LinkEnds(builder);
  });
}

void GoalPlans::Quantize(int plan) {
  for (int j = 0; j <= goal_.shared.last_range(); ++j) QuantizeRange(j, plan);
  if (goal_.StoresEnds()) QuantizeEnds(plan);
}

// Of a search each plan is rounded by itself.
void GoalPlans::LinkWeights(NodeBuilder& builder, int plan) const {
  const bool alone = goal_.Searches();
  const std::string output = Numbered(TaskFile::kWeights, alone ? 0 : plan);
  const int ranges = goal_.shared.last_range() + 1;
  for (int j = 0; j < ranges; ++j) {
    builder.Link(
        Numbered(TaskFile::kWeights, j),
        goal_.Key(alone ? TaskKey(TaskKind::kQuantize, TaskUse::kPlan, plan, j) : TaskKey(TaskKind::kQuantize, j)),
        output);
  }
  if (!goal_.StoresEnds()) return;
  builder.Link(Numbered(TaskFile::kWeights, ranges),
               goal_.Key(alone ? TaskKey(TaskKind::kQuantize, TaskUse::kEnds, plan)
                               : TaskKey(TaskKind::kQuantize, TaskUse::kEnds)),
               output);
}

void GoalPlans::Evaluate(int plan) {
  for (int shard = 0; shard < static_cast<int>(goal_.all.cuts.evaluation.size()); ++shard) {
    goal_.all.Add(goal_.Key(TaskKey(TaskKind::kEvaluate, plan, shard)), [&](NodeBuilder& builder) {
      const EvaluationCut& cut = goal_.all.cuts.evaluation[static_cast<size_t>(shard)];
      SetRange(cut.windows, builder.spec().mutable_evaluate()->mutable_windows());
      builder.Link(TaskFile::kHidden, TaskKey(TaskKind::kReference, shard), TaskFile::kHidden)
          .Link(TaskFile::kIds, EvaluationKey(cut.text), TaskFile::kIds);
      FillEvaluate(builder, plan, goal_.all.job.evaluation_window(), goal_.evaluation_costs);
    });
  }
}

void GoalPlans::EvaluateHeldOut(int plan) {
  goal_.all.Add(goal_.Key(TaskKey(TaskKind::kEvaluate, TaskUse::kHeldOut, plan)), [&](NodeBuilder& builder) {
    SetRange({0, goal_.all.facts.calibration->held_out_windows()},
             builder.spec().mutable_evaluate()->mutable_windows());
    builder.Link(TaskFile::kHidden, TaskKey(TaskKind::kReference, TaskUse::kHeldOut), TaskFile::kHidden)
        .Link(TaskFile::kIds, CalibrationKey(), TaskFile::kHeldOut);
    FillEvaluate(builder, plan, goal_.window, goal_.costs);
  });
}

// A task whose windows and links to these are there.
void GoalPlans::FillEvaluate(NodeBuilder& builder, int plan, int window, const Costs& costs) {
  auto* params = builder.spec().mutable_evaluate();
  const int windows = params->windows().end() - params->windows().begin();
  const v1::ComputeType compute = goal_.recipe.evaluation().compute();
  params->set_window(window);
  params->set_compute(compute);
  builder.Files(goal_.all.inputs, ModelFiles::kNumeric)
      .Needs(goal_.live.Evaluate(windows, window, compute), costs.EvaluateFlops(windows))
      .Numeric();
  LinkWeights(builder, plan);
}

}  // namespace bitwright::server
