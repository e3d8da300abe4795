#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "client/cli/options.h"

// From the budgets and targets that were typed to the goals of one job. Pure.
namespace bitwright::client {

// A goal, and what it goes by in tables and, as GoalFolder has it, on disk.
struct GoalChoice {
  std::string name;  // the budget as typed, without spaces; of several targets behind the target; empty: none was typed
  v1::Goal goal;
};

// Every budget for every target, at least one goal; one without a budget where none was typed. A consumer holds for
// those targets that it loads; where it loads none, for all, so that the service says what there is.
// BUDGET_INVALID: a form, or a budget given twice. TARGETS_INVALID. GOALS_INVALID: more than a job may have.
absl::StatusOr<std::vector<GoalChoice>> ChooseGoals(const JobOptions& options);

// The same for a job like another one: what is not typed of budgets, targets and consumer is as that job has it.
absl::StatusOr<std::vector<GoalChoice>> ChangeGoals(const v1::JobSpec& other, const JobOptions& options);

}  // namespace bitwright::client
