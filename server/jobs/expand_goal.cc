#include "server/jobs/expand_goal.h"

#include <algorithm>
#include <span>

#include "proto/contract/task_names.h"
#include "server/jobs/expand_answers.h"
#include "server/jobs/job_errors.h"
#include "server/jobs/notices.h"
#include "server/jobs/recipe_check.h"
#include "server/jobs/texts.h"

namespace bitwright::server {
namespace {

// Where there are several evaluation texts.
void SetTextShards(const v1::JobSpec& spec, const Cuts& cuts, v1::SelectParams& params) {
  const int texts = spec.evaluation_size();
  if (texts == 1) return;
  params.mutable_text_shards()->Resize(texts, 0);
  for (const EvaluationCut& cut : cuts.evaluation) {
    params.set_text_shards(cut.text, params.text_shards(cut.text) + 1);
  }
}

}  // namespace

GoalNodes::GoalNodes(ExpandContext& context, const SharedNodes& shared, int goal, int prices)
    : goal_(context, shared, goal), prices_(goal_, prices), plans_(goal_) {}

void GoalNodes::Allocate() {
  prices_.Add();
  goal_.all.Add(goal_.Key(TaskKind::kAllocate), [&](NodeBuilder& builder) {
    auto* params = builder.spec().mutable_allocate();
    params->set_target(goal_.target_name());
    *params->mutable_budget() = goal_.budget();
    if (goal_.all.whole()) *params->mutable_recipe() = PartsOf(goal_.recipe);
    builder.Input(TaskFile::kInfo, goal_.all.job.info).Needs(LiveSets::Small(), 1e4 * goal_.all.info.units_size());
    prices_.Link(builder);
    goal_.shared.LinkChecks(builder);
  });
}

bool GoalNodes::Chooses() const {
  return !goal_.Searches() && goal_.all.facts.calibration->held_out_windows() > 0 && goal_.candidates() > 1;
}

bool GoalNodes::Chosen() const { return goal_.facts.choice.has_value() || !Chooses(); }

void GoalNodes::Quantize() {
  if (!goal_.Searches()) plans_.QuantizeAll();
}

void GoalNodes::Choose() {
  for (int c = 0; c < goal_.candidates(); ++c) plans_.EvaluateHeldOut(c);
  goal_.all.Add(goal_.Key(TaskKind::kChoose), [&](NodeBuilder& builder) {
    auto* params = builder.spec().mutable_choose();
    params->set_candidates(goal_.candidates());
    params->set_window(goal_.window);
    params->set_target(goal_.target_name());
    builder.Input(TaskFile::kInfo, goal_.all.job.info)
        .Link(TaskFile::kAllocation, goal_.Key(TaskKind::kAllocate), TaskFile::kAllocation)
        .Needs(LiveSets::Small(),
               100.0 * goal_.candidates() * goal_.all.facts.calibration->held_out_windows() * goal_.window);
    for (int c = 0; c < goal_.candidates(); ++c)
      builder.Link(Numbered(TaskFile::kTokens, c), goal_.Key(TaskKey(TaskKind::kEvaluate, TaskUse::kHeldOut, c)),
                   TaskFile::kTokens);
  });
}

BoundSearch GoalNodes::SearchAfter(size_t rounds) const {
  const std::span<const v1::Probe> probes(goal_.facts.probes);
  return SearchBound(goal_.budget(), *goal_.facts.allocation, probes.first(std::min(rounds, probes.size())));
}

bool GoalNodes::Searches(int round) const {
  return goal_.Searches() && SearchAfter(static_cast<size_t>(round)).next.has_value();
}

bool GoalNodes::Probed(int round) const {
  return static_cast<size_t>(round) < goal_.facts.probes.size() || !Searches(round);
}

absl::Status GoalNodes::CheckFound() const {
  if (!goal_.Searches() || SearchAfter(goal_.facts.probes.size()).selected) return absl::OkStatus();
  // The largest plan was measured last.
  return BoundNotMetError(goal_.budget(), goal_.facts.probes.empty() ? v1::Probe() : goal_.facts.probes.back());
}

void GoalNodes::Probe(int round) {
  const int plan = SearchAfter(static_cast<size_t>(round)).next.value_or(0);
  plans_.Quantize(plan);
  plans_.Evaluate(plan);
  goal_.all.Add(goal_.Key(TaskKey(TaskKind::kProbe, round)), [&](NodeBuilder& builder) {
    auto* params = builder.spec().mutable_probe();
    params->set_plan(plan);
    params->set_window(goal_.all.job.evaluation_window());
    params->set_target(goal_.target_name());
    builder.Input(TaskFile::kInfo, goal_.all.job.info)
        .Link(TaskFile::kAllocation, goal_.Key(TaskKind::kAllocate), TaskFile::kAllocation)
        .Needs(LiveSets::Small(),
               100.0 * static_cast<double>(goal_.all.evaluation_windows) * goal_.all.job.evaluation_window());
    for (int i = 0; i < static_cast<int>(goal_.all.cuts.evaluation.size()); ++i) {
      builder.Link(Numbered(TaskFile::kTokens, i), goal_.Key(TaskKey(TaskKind::kEvaluate, plan, i)), TaskFile::kTokens);
    }
  });
}

std::vector<int> GoalNodes::ProbedPlans() const {
  std::vector<int> plans;
  for (const v1::Probe& probe : goal_.facts.probes) plans.push_back(probe.plan());
  return plans;
}

std::vector<int> GoalNodes::PlansToMeasure() const {
  std::vector<int> plans;
  if (goal_.Searches()) {
    plans = ProbedPlans();
    const std::optional<int> selected = SearchAfter(goal_.facts.probes.size()).selected;
    const std::optional<int> uniform = UniformBeside(*goal_.facts.allocation, selected.value_or(0));
    if (uniform) plans.push_back(*uniform);
    std::sort(plans.begin(), plans.end());
    return plans;
  }
  for (int c = 0; c < goal_.candidates(); ++c) {
    const bool mixed = goal_.facts.allocation->candidates(c).kind() == v1::PLAN_KIND_MIXED;
    if (!Chooses() || mixed || c == goal_.facts.choice->selected() || c == goal_.facts.choice->best_uniform())
      plans.push_back(c);
  }
  return plans;
}

void GoalNodes::Measure() {
  const std::vector<int> plans = PlansToMeasure();
  const std::vector<int> probed = ProbedPlans();
  for (const int plan : plans) {
    if (std::find(probed.begin(), probed.end(), plan) != probed.end()) continue;
    if (goal_.Searches()) plans_.Quantize(plan);
    plans_.Evaluate(plan);
  }
  Select(plans);
}

void GoalNodes::Assemble() {
  goal_.all.Add(goal_.Key(TaskKind::kAssemble), [&](NodeBuilder& builder) {
    auto* params = builder.spec().mutable_assemble();
    params->set_candidate(SelectedPlan());
    params->set_target(goal_.target_name());
    if (goal_.all.whole()) *params->mutable_card() = Card();
    builder.Files(goal_.all.inputs, ModelFiles::kAll)
        .Input(TaskFile::kInfo, goal_.all.job.info)
        .Link(TaskFile::kAllocation, goal_.Key(TaskKind::kAllocate), TaskFile::kAllocation)
        .Link(TaskFile::kSelection, goal_.Key(TaskKind::kSelect), TaskFile::kSelection)
        .Needs(LiveSets::Small(), static_cast<double>(goal_.all.info.model_bytes()));
    plans_.LinkWeights(builder, SelectedPlan());
  });
}

void GoalNodes::Answer(const std::vector<v1::QuestionsSummary>& files) {
  AddAnswers(goal_.all,
             {.goal = goal_.goal,
              .live = goal_.live,
              .costs = goal_.costs,
              .link_weights = [&](NodeBuilder& builder) { plans_.LinkWeights(builder, SelectedPlan()); }},
             files);
}

void GoalNodes::Report() {
  goal_.all.Add(goal_.Key(TaskKind::kReport), [&](NodeBuilder& builder) {
    auto* params = builder.spec().mutable_report();
    *params->mutable_spec() = ComparableSpec();
    params->set_model_display_name(goal_.all.job.model->display_name());
    *params->mutable_recipe() = goal_.recipe;
    params->set_job_display_name(goal_.all.job.spec.display_name());
    for (v1::Notice& notice : DataNotices(goal_.all.job.spec, goal_.all.facts)) {
      *params->add_notices() = std::move(notice);
    }
    builder.Input(TaskFile::kInfo, goal_.all.job.info)
        .Input(TaskFile::kProvenance, *goal_.facts.provenance)
        .Link(TaskFile::kAllocation, goal_.Key(TaskKind::kAllocate), TaskFile::kAllocation)
        .Link(TaskFile::kPrices, goal_.Key(TaskKind::kAllocate), TaskFile::kPrices)
        .Link(TaskFile::kManifest, goal_.Key(TaskKind::kAssemble), TaskFile::kManifest)
        .Link(TaskFile::kSelection, goal_.Key(TaskKind::kSelect), TaskFile::kSelection)
        .Needs(LiveSets::Small(), 0);
    LinkAnswers(goal_.all.job.spec, goal_.goal, builder);
  });
}

int GoalNodes::SelectedPlan() const {
  const v1::Selection& selection = *goal_.facts.selection;
  const bool named = selection.selected() >= 0 && selection.selected() < selection.candidates_size();
  const int plan = named ? selection.candidates(selection.selected()).plan() : 0;
  return std::clamp(plan, 0, goal_.candidates() - 1);
}

void GoalNodes::Select(const std::vector<int>& plans) {
  goal_.all.Add(goal_.Key(TaskKind::kSelect), [&](NodeBuilder& builder) {
    const int shards = static_cast<int>(goal_.all.cuts.evaluation.size());
    const double tokens = static_cast<double>(goal_.all.evaluation_windows) * goal_.all.job.evaluation_window();
    auto* params = builder.spec().mutable_select();
    params->set_target(goal_.target_name());
    *params->mutable_budget() = goal_.budget();
    for (const int plan : plans) params->add_plans(plan);
    params->set_shards(shards);
    SetTextShards(goal_.all.job.spec, goal_.all.cuts, *params);
    if (goal_.Searches()) params->set_smallest(SearchAfter(goal_.facts.probes.size()).selected.value_or(0));
    if (goal_.all.whole()) *params->mutable_card() = Card();
    builder.Files(goal_.all.inputs, ModelFiles::kCarried)
        .Input(TaskFile::kInfo, goal_.all.job.info)
        .Link(TaskFile::kAllocation, goal_.Key(TaskKind::kAllocate), TaskFile::kAllocation)
        .Needs(LiveSets::Small(), 100.0 * static_cast<double>(plans.size()) * tokens);
    if (Chooses()) builder.Link(TaskFile::kChoice, goal_.Key(TaskKind::kChoose), TaskFile::kChoice);
    for (int p = 0; p < static_cast<int>(plans.size()); ++p) {
      for (int i = 0; i < shards; ++i)
        builder.Link(Numbered(TaskFile::kTokens, p, i),
                     goal_.Key(TaskKey(TaskKind::kEvaluate, plans[static_cast<size_t>(p)], i)), TaskFile::kTokens);
    }
  });
}

v1::CardFacts GoalNodes::Card() const {
  v1::CardFacts card;
  card.set_model(goal_.all.job.model->display_name());
  card.set_recipe(goal_.recipe.name());
  card.set_calibration_tokens(int64_t{goal_.all.facts.calibration->windows()} * goal_.window);
  card.set_evaluation_tokens(goal_.all.evaluation_windows * goal_.all.job.evaluation_window());
  card.set_window(goal_.all.job.evaluation_window());
  card.set_evaluation_compute(goal_.recipe.evaluation().compute());
  return card;
}

// The spec without what may differ between two jobs whose reports are equal: other goals, scheduling, and the ids and
// names that the server or a person gave. The digests of the data are in the provenance.
v1::JobSpec GoalNodes::ComparableSpec() const {
  v1::JobSpec spec = goal_.SpecOfThisAlone();
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

}  // namespace bitwright::server
