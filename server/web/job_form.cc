#include "server/web/job_form.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "proto/base/status_macros.h"
#include "proto/contract/goals.h"
#include "proto/contract/names.h"
#include "proto/inputs/budget.h"
#include "server/web/web_errors.h"

namespace bitwright::server {
namespace {

absl::StatusOr<std::vector<v1::Budget>> BudgetsOf(const std::string& text) {
  std::vector<v1::Budget> budgets;
  for (absl::string_view word : absl::StrSplit(text, ',')) {
    word = absl::StripAsciiWhitespace(word);
    if (word.empty()) continue;
    ABSL_ASSIGN_OR_RETURN(v1::Budget budget, ParseBudget(std::string(word)));
    budgets.push_back(std::move(budget));
  }
  return budgets;
}

absl::StatusOr<int> NumberOf(const std::string& field, const std::string& text) {
  int value = 0;
  if (!absl::SimpleAtoi(text, &value)) return NumberInvalidError(field, text);
  return value;
}

}  // namespace

std::string JobForm::Field(const std::string& name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? "" : std::string(absl::StripAsciiWhitespace(found->second));
}

bool JobForm::Has(const std::string& name, const std::string& value) const {
  const auto [begin, end] = fields_.equal_range(name);
  for (auto field = begin; field != end; ++field) {
    if (field->second == value) return true;
  }
  return false;
}

void JobForm::Default(const std::string& name, const std::string& value) {
  if (!fields_.contains(name)) fields_.emplace(name, value);
}

absl::StatusOr<v1::JobSpec> JobForm::Spec() const {
  v1::JobSpec spec;
  spec.set_model(model_);
  spec.set_display_name(Field("display_name"));
  spec.set_recipe(ResourceName(Collection::kRecipes, Field("recipe")));
  spec.set_device(Field("device"));
  if (const std::string text = Field("priority"); !text.empty()) {
    ABSL_ASSIGN_OR_RETURN(const int priority, NumberOf("priority", text));
    spec.set_priority(priority);
  }
  ABSL_ASSIGN_OR_RETURN(const std::vector<v1::Budget> budgets, BudgetsOf(Field("budget")));
  std::vector<v1::Goal> goals;
  const auto [begin, end] = fields_.equal_range("target");
  for (auto target = begin; target != end; ++target) {
    v1::Goal goal;
    goal.set_target(target->second);
    if (budgets.empty()) goals.push_back(goal);
    for (const v1::Budget& budget : budgets) {
      *goal.mutable_budget() = budget;
      goals.push_back(goal);
    }
  }
  if (goals.empty()) {
    for (const v1::Budget& budget : budgets) *goals.emplace_back().mutable_budget() = budget;
  }
  if (!goals.empty()) SetGoals(goals, spec);
  return spec;
}

}  // namespace bitwright::server
