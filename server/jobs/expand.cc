#include "server/jobs/expand.h"

#include <algorithm>
#include <deque>

#include "proto/base/status_macros.h"
#include "server/jobs/expand_context.h"
#include "server/jobs/expand_goal.h"
#include "server/jobs/expand_shared.h"
#include "server/jobs/expand_texts.h"
#include "server/jobs/job_errors.h"
#include "server/jobs/texts.h"

namespace bitwright::server {
namespace {

std::vector<int> WindowsOfEach(const std::vector<v1::TokenizeSummary>& texts) {
  std::vector<int> windows;
  windows.reserve(texts.size());
  for (const v1::TokenizeSummary& text : texts) windows.push_back(text.windows());
  return windows;
}

// The first goal whose formats and prices are those of goal g: they differ in their budgets alone.
int PricesOf(const ResolvedJob& job, size_t g) {
  const auto alike = [&](const ResolvedGoal& other) {
    return other.goal.target() == job.goals[g].goal.target() && other.goal.consumer() == job.goals[g].goal.consumer();
  };
  return static_cast<int>(std::find_if(job.goals.begin(), job.goals.end(), alike) - job.goals.begin());
}

// All goals of a job, each stage for all of them before the next begins, so that nodes come in one order however their
// facts do.
class AllGoals {
 public:
  AllGoals(ExpandContext& context, SharedNodes& shared) : shared_(shared) {
    for (size_t g = 0; g < context.job.goals.size(); ++g) {
      goals_.emplace_back(context, shared, static_cast<int>(g), PricesOf(context.job, g));
    }
  }

  void TryPlans() {
    for (GoalNodes& goal : goals_) goal.Quantize();
    if (std::ranges::any_of(goals_, &GoalNodes::Chooses)) shared_.HeldOutReference();
    for (GoalNodes& goal : goals_) {
      if (goal.Chooses()) goal.Choose();
    }
  }

  // True: every search has ended.
  bool Search() {
    for (int round = 0; std::ranges::any_of(goals_, [&](const GoalNodes& goal) { return goal.Searches(round); });
         ++round) {
      for (GoalNodes& goal : goals_) {
        if (goal.Searches(round)) goal.Probe(round);
      }
      if (std::ranges::any_of(goals_, [&](const GoalNodes& goal) { return !goal.Probed(round); })) return false;
    }
    return true;
  }

  absl::Status CheckFound() const {
    for (const GoalNodes& goal : goals_) ABSL_RETURN_IF_ERROR(goal.CheckFound());
    return absl::OkStatus();
  }

  bool All(bool (GoalNodes::*have)() const) const { return std::ranges::all_of(goals_, have); }
  void Add(void (GoalNodes::*nodes)()) {
    for (GoalNodes& goal : goals_) (goal.*nodes)();
  }
  void Answer(const std::vector<v1::QuestionsSummary>& files) {
    shared_.Answer(files);
    for (GoalNodes& goal : goals_) goal.Answer(files);
  }

 private:
  SharedNodes& shared_;
  std::deque<GoalNodes> goals_;
};

// As far as the facts lead. True: no further nodes will come.
absl::StatusOr<bool> AddNodes(ExpandContext& context) {
  const v1::JobSpec& spec = context.job.spec;
  AddTexts(context);
  const auto evaluation = EvaluationSummaries(spec, context.facts);
  if (!context.facts.calibration || !evaluation) return false;
  context.evaluation_windows = WindowsOf(*evaluation);
  context.cuts = CutJob(context.info, context.job.recipe, context.facts.calibration->windows(),
                        context.job.calibration_window(), WindowsOfEach(*evaluation));
  SharedNodes shared(context);
  shared.Analyze();
  AllGoals goals(context, shared);
  goals.Add(&GoalNodes::Allocate);
  if (!goals.All(&GoalNodes::allocated)) return false;
  goals.TryPlans();
  if (!goals.Search()) return false;
  ABSL_RETURN_IF_ERROR(goals.CheckFound());
  if (!goals.All(&GoalNodes::Chosen)) return false;
  goals.Add(&GoalNodes::Measure);
  const auto questions = QuestionSummaries(spec, context.facts);
  if (!goals.All(&GoalNodes::selected) || !questions) return false;
  goals.Add(&GoalNodes::Assemble);
  goals.Answer(*questions);
  if (!goals.All(&GoalNodes::proved)) return false;
  goals.Add(&GoalNodes::Report);
  return true;
}

}  // namespace

absl::StatusOr<Expansion> Expand(const ResolvedJob& job, const Facts& facts, const GraphDetail& wanted) {
  for (int g = 0; g < static_cast<int>(job.goals.size()); ++g) {
    if (job.target(g) == nullptr) return ModelOutdatedError(job.spec.model());
  }
  ABSL_RETURN_IF_ERROR(CheckLengths(job.spec, facts));
  ExpandContext context(job, facts, wanted);
  ABSL_ASSIGN_OR_RETURN(const bool complete, AddNodes(context));
  return Expansion{context.Take(), complete};
}

}  // namespace bitwright::server
