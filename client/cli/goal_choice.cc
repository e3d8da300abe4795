#include "client/cli/goal_choice.h"

#include <algorithm>
#include <set>
#include <span>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "client/api/client_errors.h"
#include "client/cli/cli_errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/contract/targets.h"
#include "proto/inputs/budget.h"
#include "proto/inputs/input_errors.h"
#include "proto/report/job_goals.h"

namespace bitwright::client {
namespace {

struct BudgetChoice {
  std::string name;
  v1::Budget budget;
};

// Pieces between commas, without spaces.
std::vector<std::string> Pieces(std::span<const std::string> lists) {
  std::vector<std::string> pieces;
  for (const std::string& list : lists) {
    for (const absl::string_view piece : absl::StrSplit(list, ',')) {
      pieces.push_back(absl::StrReplaceAll(piece, {{" ", ""}}));
    }
  }
  return pieces;
}

absl::StatusOr<std::vector<BudgetChoice>> ParseBudgets(const JobOptions& options) {
  std::vector<std::string> names = Pieces(options.budgets);
  for (const std::string& nats : Pieces(options.max_kld)) names.push_back("kld=" + nats);
  for (const std::string& rise : Pieces(options.max_ppl_rise)) names.push_back("ppl=" + rise);
  std::vector<BudgetChoice> choices;
  std::set<std::string> seen;
  for (const std::string& name : names) {
    ABSL_ASSIGN_OR_RETURN(const v1::Budget budget, ParseBudget(name));
    if (!seen.insert(BudgetName(budget)).second) return BudgetInvalidError(name, "is given twice");
    choices.push_back({name, budget});
  }
  return choices;
}

absl::StatusOr<std::vector<std::string>> ParseTargets(const std::string& typed) {
  const std::vector<std::string> names = absl::StrSplit(typed, ',');
  const std::set<std::string> different(names.begin(), names.end());
  if (names.size() > 1 && (different.size() < names.size() || different.contains("")))
    return TargetsInvalidError(typed);
  return names;
}

// Whether a consumer loads artifacts of a target; of a target that only the service knows, it says so itself.
bool Loads(const std::string& consumer, const std::string& target) {
  for (const KnownTarget& known : kTargets) {
    if (known.name == target) return std::ranges::find(known.consumers, consumer) != known.consumers.end();
  }
  return true;
}

// Goals without budgets.
std::vector<v1::Goal> ForConsumer(std::span<const std::string> targets, const std::string& consumer) {
  const bool any = std::ranges::any_of(targets, [&](const std::string& target) { return Loads(consumer, target); });
  std::vector<v1::Goal> goals;
  for (const std::string& target : targets) {
    v1::Goal& goal = goals.emplace_back();
    goal.set_target(target);
    if (!any || Loads(consumer, target)) goal.set_consumer(consumer);
  }
  return goals;
}

absl::StatusOr<std::vector<GoalChoice>> Combine(std::span<const v1::Goal> targets, std::vector<BudgetChoice> budgets) {
  if (budgets.empty()) budgets.emplace_back();
  if (targets.size() * budgets.size() > size_t{limits::kMaxGoals}) {
    return TooManyGoalsError(budgets.size(), targets.size());
  }
  std::vector<GoalChoice> choices;
  for (const v1::Goal& target : targets) {
    for (const BudgetChoice& budget : budgets) {
      GoalChoice& choice = choices.emplace_back(GoalChoice{budget.name, target});
      if (targets.size() > 1) choice.name = absl::StrCat(target.target(), budget.name.empty() ? "" : "-", budget.name);
      if (!budget.name.empty()) *choice.goal.mutable_budget() = budget.budget;
    }
  }
  return choices;
}

bool Has(std::span<const v1::Goal> targets, const v1::Goal& goal) {
  return std::ranges::any_of(targets, [&](const v1::Goal& known) {
    return known.target() == goal.target() && known.consumer() == goal.consumer();
  });
}

// What goals are for, each once and without its budget.
std::vector<v1::Goal> TargetsOf(std::span<const v1::Goal> goals) {
  std::vector<v1::Goal> targets;
  for (const v1::Goal& goal : goals) {
    if (Has(targets, goal)) continue;
    targets.push_back(goal);
    targets.back().clear_budget();
  }
  return targets;
}

// Each once.
std::vector<BudgetChoice> BudgetsOf(std::span<const v1::Goal> goals) {
  std::vector<BudgetChoice> budgets;
  std::set<std::string> seen;
  for (const v1::Goal& goal : goals) {
    const std::string name = BudgetName(goal.budget());
    if (seen.insert(name).second) budgets.push_back({name, goal.budget()});
  }
  return budgets;
}

std::string ConsumerOf(std::span<const v1::Goal> goals) {
  for (const v1::Goal& goal : goals) {
    if (!goal.consumer().empty()) return goal.consumer();
  }
  return "";
}

std::vector<v1::Goal> WithConsumer(std::vector<v1::Goal> goals, const std::string& consumer) {
  std::vector<std::string> targets;
  targets.reserve(goals.size());
  for (const v1::Goal& goal : goals) targets.push_back(goal.target());
  const std::vector<v1::Goal> changed = ForConsumer(targets, consumer);
  for (size_t g = 0; g < goals.size(); ++g) goals[g].set_consumer(changed[g].consumer());
  return goals;
}

std::vector<GoalChoice> AsTheyAre(std::span<const v1::Goal> goals) {
  const std::vector<std::string> names = GoalNames(goals);
  std::vector<GoalChoice> choices;
  for (size_t g = 0; g < goals.size(); ++g) choices.push_back({names[g], goals[g]});
  return choices;
}

}  // namespace

absl::StatusOr<std::vector<GoalChoice>> ChooseGoals(const JobOptions& options) {
  ABSL_ASSIGN_OR_RETURN(std::vector<BudgetChoice> budgets, ParseBudgets(options));
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> targets, ParseTargets(options.target));
  return Combine(ForConsumer(targets, options.consumer), std::move(budgets));
}

absl::StatusOr<std::vector<GoalChoice>> ChangeGoals(const v1::JobSpec& other, const JobOptions& options) {
  const bool targets_given = options.given.contains("--target");
  const bool consumer_given = options.given.contains("--consumer");
  const std::vector<v1::Goal> goals = GoalsOf(other);
  ABSL_ASSIGN_OR_RETURN(std::vector<BudgetChoice> budgets, ParseBudgets(options));
  if (budgets.empty() && !targets_given) {
    return AsTheyAre(consumer_given ? WithConsumer(goals, options.consumer) : goals);
  }
  if (budgets.empty()) budgets = BudgetsOf(goals);
  std::vector<v1::Goal> targets = TargetsOf(consumer_given ? WithConsumer(goals, options.consumer) : goals);
  if (targets_given) {
    ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> names, ParseTargets(options.target));
    targets = ForConsumer(names, consumer_given ? options.consumer : ConsumerOf(goals));
  }
  return Combine(targets, std::move(budgets));
}

}  // namespace bitwright::client
