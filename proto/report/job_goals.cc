#include "proto/report/job_goals.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proto/contract/targets.h"
#include "proto/inputs/budget.h"
#include "proto/report/budget_text.h"
#include "proto/report/number_text.h"

namespace bitwright {
namespace {

constexpr size_t kNameColumns = 40;

// An empty name means the first.
std::string TargetOf(const v1::Goal& goal) {
  return goal.target().empty() ? std::string(kTargets[0].name) : goal.target();
}

v1::GoalEstimate EstimateOfJob(const v1::Estimate& job, const v1::Goal& goal) {
  v1::GoalEstimate estimate;
  *estimate.mutable_goal() = goal;
  estimate.set_artifact_bytes(job.artifact_bytes());
  estimate.set_smallest_average_bits(job.smallest_average_bits());
  estimate.set_largest_average_bits(job.largest_average_bits());
  estimate.set_smallest_artifact_bytes(job.smallest_artifact_bytes());
  estimate.set_largest_artifact_bytes(job.largest_artifact_bytes());
  estimate.set_loadable(job.loadable());
  estimate.set_loadable_reason(job.loadable_reason());
  return estimate;
}

}  // namespace

std::vector<v1::GoalEstimate> EstimatesOf(const v1::Job& job) {
  const std::vector<v1::Goal> goals = GoalsOf(job.spec());
  const auto& told = job.estimate().goals();
  if (told.size() == static_cast<int>(goals.size())) return {told.begin(), told.end()};
  std::vector<v1::GoalEstimate> estimates;
  estimates.reserve(goals.size());
  for (const v1::Goal& goal : goals) estimates.push_back(EstimateOfJob(job.estimate(), goal));
  return estimates;
}

std::vector<v1::Outcome> OutcomesOf(const v1::Job& job) {
  if (job.state() != v1::Job::SUCCEEDED) return {};
  if (!job.outcomes().empty()) return {job.outcomes().begin(), job.outcomes().end()};
  v1::Outcome outcome;
  *outcome.mutable_goal() = GoalsOf(job.spec()).front();
  *outcome.mutable_artifact() = job.artifact();
  *outcome.mutable_report() = job.report();
  return {outcome};
}

std::vector<std::string> GoalNames(std::span<const v1::Goal> goals) {
  std::set<std::string> targets;
  for (const v1::Goal& goal : goals) targets.insert(TargetOf(goal));
  std::vector<std::string> names;
  for (const v1::Goal& goal : goals) {
    const std::string budget = BudgetName(goal.budget());
    names.push_back(targets.size() == 1 ? budget : absl::StrCat(TargetOf(goal), budget.empty() ? "" : "-", budget));
  }
  const std::vector<std::string> without_consumer = names;
  for (size_t g = 0; g < goals.size(); ++g) {
    const bool shared = std::ranges::count(without_consumer, names[g]) > 1;
    if (shared && !goals[g].consumer().empty()) absl::StrAppend(&names[g], "-", goals[g].consumer());
  }
  return names;
}

std::string GoalText(const v1::Goal& goal) {
  std::string text = Printable(TargetOf(goal), kNameColumns);
  if (!goal.consumer().empty()) absl::StrAppend(&text, " for ", Printable(goal.consumer(), kNameColumns));
  return goal.has_budget() ? absl::StrCat(text, ", ", BudgetText(goal.budget())) : text;
}

std::string GoalFolder(std::string_view name) {
  std::string folder;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '=') continue;
    if (c == '%') {
      folder += "pct";
    } else {
      folder += absl::ascii_isalnum(byte) || c == '-' || c == '_' || (c == '.' && !folder.empty()) ? c : '_';
    }
  }
  return folder;
}

}  // namespace bitwright
