#include <algorithm>
#include <cmath>
#include <map>

#include "bitwright/v1/models.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/notices.h"
#include "proto/contract/task_names.h"
#include "workers/allocate/knapsack.h"
#include "workers/targets/artifact.h"
#include "workers/targets/format_messages.h"
#include "workers/tasks/checked_losses.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/model_notices.h"
#include "workers/tasks/recipe_options.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

// A uniform plan whose predicted loss is this many times the best one's cannot win: the ratio of two such predictions
// was within 5 % of the measured one on every model tried.
constexpr double kUniformMargin = 1.25;

using UnitOptions = std::vector<v1::Sensitivity::Unit>;

// Units that get one format: one that is free, or all of one tie.
using Class = std::vector<size_t>;

// Of the first `count` units.
std::vector<Class> ClassesOf(const v1::ModelInfo& info, size_t count) {
  std::vector<Class> classes;
  std::map<std::string, size_t> ties;
  for (size_t u = 0; u < count; ++u) {
    const std::string& tie = info.units(static_cast<int>(u)).tie();
    const auto [known, is_new] = ties.emplace(tie, classes.size());
    if (tie.empty() || is_new) {
      classes.push_back({u});
    } else {
      classes[known->second].push_back(u);
    }
    if (tie.empty()) ties.erase(tie);
  }
  return classes;
}

// One option of a class: the same format for all of its units.
struct ClassOption {
  std::vector<int> of_units;  // numbers of options
  Option sum;
};

std::vector<ClassOption> OptionsOf(const Class& units_of_class, const UnitOptions& units) {
  std::vector<ClassOption> options;
  for (const v1::FormatOption& first : units[units_of_class.front()].options()) {
    ClassOption option;
    for (const size_t u : units_of_class) {
      const int number = FindOption(units[u], first.format());
      if (number < 0) break;
      option.of_units.push_back(number);
      option.sum.bytes += units[u].options(number).bytes();
      option.sum.loss += units[u].options(number).loss();
    }
    if (option.of_units.size() == units_of_class.size()) options.push_back(std::move(option));
  }
  return options;
}

int64_t WeightBudget(const v1::Budget& budget, const v1::TargetInfo& target) {
  if (budget.kind_case() == v1::Budget::kAverageBits) {
    return static_cast<int64_t>(
        std::floor(budget.average_bits() * static_cast<double>(target.quantized_weights()) / 8));
  }
  return budget.artifact_bytes() - target.kept_bytes() - target.overhead_bytes();
}

absl::Status CheckUnits(const UnitOptions& units, const v1::ModelInfo& info, const v1::TargetInfo& target) {
  if (units.empty()) return TaskInputMissingError(Numbered(TaskFile::kSensitivity, 0));
  bool fit = units.size() == static_cast<size_t>(target.units_size());
  for (size_t u = 0; fit && u < units.size(); ++u) {
    fit = units[u].name() == info.units(static_cast<int>(u)).name() && !units[u].options().empty();
  }
  if (!fit)
    return TaskInputDamagedError(TaskFile::kSensitivity, "does not hold the units of input 'info', with options");
  return absl::OkStatus();
}

// A plan from one option per unit.
v1::Plan MakePlan(v1::PlanKind kind, const std::string& name, const UnitOptions& units, const std::vector<int>& choice,
                  const v1::TargetInfo& target) {
  v1::Plan plan;
  plan.set_kind(kind);
  plan.set_name(name);
  for (size_t u = 0; u < units.size(); ++u) {
    const v1::FormatOption& option = units[u].options(choice[u]);
    v1::UnitPlan& to = *plan.add_units();
    to.set_unit(units[u].name());
    *to.mutable_format() = option.format();
    to.set_bytes(option.bytes());
    to.set_predicted_loss(option.loss());
    plan.set_predicted_loss(plan.predicted_loss() + option.loss());
    plan.set_weight_bytes(plan.weight_bytes() + option.bytes());
  }
  plan.set_average_bits(8 * static_cast<double>(plan.weight_bytes()) / static_cast<double>(target.quantized_weights()));
  plan.set_artifact_bytes(plan.weight_bytes() + target.kept_bytes() + target.overhead_bytes());
  return plan;
}

// Every format that all units offer, as a plan within the budget; best predicted first. Embedding and head, where they
// have formats of their own, take the narrowest of these.
std::vector<v1::Plan> UniformPlans(const UnitOptions& units, const v1::TargetInfo& target, int64_t budget) {
  std::vector<v1::Plan> plans;
  for (const v1::FormatOption& format : units.front().options()) {
    std::vector<int> choice;
    for (size_t u = 0; u < units.size(); ++u) {
      const int found = FindOption(units[u], format.format());
      choice.push_back(found < 0 && target.units(static_cast<int>(u)).end() ? 0 : found);
    }
    if (std::find(choice.begin(), choice.end(), -1) != choice.end()) continue;
    v1::Plan plan = MakePlan(v1::PLAN_KIND_UNIFORM, "uniform-" + NameOf(format.format()), units, choice, target);
    if (plan.weight_bytes() <= budget) plans.push_back(std::move(plan));
  }
  std::stable_sort(plans.begin(), plans.end(),
                   [](const v1::Plan& a, const v1::Plan& b) { return a.predicted_loss() < b.predicted_loss(); });
  return plans;
}

void AddUniform(const UnitOptions& units, const v1::TargetInfo& target, int64_t budget, int most,
                v1::Allocation& allocation) {
  const std::vector<v1::Plan> plans = UniformPlans(units, target, budget);
  for (size_t i = 0; i < plans.size(); ++i) {
    if (most > 0 && static_cast<int>(i) >= most) return;
    if (most == 0 && plans[i].predicted_loss() > kUniformMargin * plans.front().predicted_loss()) return;
    *allocation.add_candidates() = plans[i];
  }
}

absl::Status AddMixed(const UnitOptions& units, const v1::ModelInfo& info, const v1::TargetInfo& target, int64_t budget,
                      v1::Allocation& allocation) {
  const std::vector<Class> classes = ClassesOf(info, units.size());
  std::vector<std::vector<ClassOption>> options;
  std::vector<std::vector<Option>> sums;
  for (const Class& one : classes) {
    options.push_back(OptionsOf(one, units));
    if (options.back().empty()) return TieWithoutFormatError(info.units(static_cast<int>(one.front())).tie());
    std::vector<Option>& to = sums.emplace_back();
    for (const ClassOption& option : options.back()) to.push_back(option.sum);
  }
  ABSL_ASSIGN_OR_RETURN(const Choice choice, Solve(std::span<const std::vector<Option>>(sums), budget));
  std::vector<int> by_unit(units.size());
  for (size_t c = 0; c < classes.size(); ++c) {
    const ClassOption& chosen = options[c][static_cast<size_t>(choice.option[c])];
    for (size_t i = 0; i < classes[c].size(); ++i) by_unit[classes[c][i]] = chosen.of_units[i];
  }
  *allocation.add_candidates() = MakePlan(v1::PLAN_KIND_MIXED, "mixed", units, by_unit, target);
  allocation.set_bound(choice.bound);
  allocation.set_gap(std::max(choice.loss - choice.bound, 0.0));
  allocation.set_lambda(choice.lambda);
  allocation.set_proved_optimal(choice.proved_optimal);
  return absl::OkStatus();
}

// The units of all numbered inputs of that name, in order.
template <typename Message, typename Unit>
absl::Status ReadUnits(const char* name, const TaskIo& io, std::vector<Unit>& units) {
  for (const std::string& input : io.InputNames(NumberedPrefix(name))) {
    Message part;
    ABSL_RETURN_IF_ERROR(io.ReadProto(input, part));
    if (part.units().empty()) return TaskInputDamagedError(input, "names no unit");
    units.insert(units.end(), part.units().begin(), part.units().end());
  }
  return absl::OkStatus();
}

void AddNotices(const UnitOptions& units, v1::Allocation& allocation) {
  std::vector<std::string> names;
  for (const v1::Sensitivity::Unit& unit : units) {
    for (const int expert : unit.unreached()) names.push_back(unit.name() + " " + std::to_string(expert));
  }
  if (names.empty()) return;
  *allocation.add_notices() =
      MakeNotice("EXPERTS_NOT_REACHED",
                 "no token of the calibration text reached these experts: " + NameList(names) +
                     "; their weights are rounded to nearest in effect, as if all inputs counted alike. Calibrate on "
                     "more text, or on text that is more like what the model is used for");
}

}  // namespace

absl::Status RunAllocate(const v1::AllocateParams& params, TaskIo& io) {
  v1::ModelInfo info;
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kInfo, info));
  ABSL_ASSIGN_OR_RETURN(const Target* target, FindTarget(params.target()));
  ABSL_ASSIGN_OR_RETURN(const v1::TargetInfo* stored, TargetInfoOf(info, *target));
  UnitOptions units;
  ABSL_RETURN_IF_ERROR(ReadUnits<v1::Sensitivity>(TaskFile::kSensitivity, io, units));
  ABSL_RETURN_IF_ERROR(CheckUnits(units, info, *stored));
  std::vector<v1::Checks::Unit> checks;
  ABSL_RETURN_IF_ERROR(ReadUnits<v1::Checks>(TaskFile::kChecks, io, checks));
  v1::Allocation allocation;
  AddNotices(units, allocation);
  ABSL_RETURN_IF_ERROR(CorrectLosses(checks, units, *allocation.mutable_checks()));
  const int64_t budget = WeightBudget(params.budget(), *stored);
  allocation.set_weight_budget_bytes(budget);
  // The relaxation is solved for its bound also when only uniform plans are wanted, and refuses a budget that nothing
  // fits.
  ABSL_RETURN_IF_ERROR(AddMixed(units, info, *stored, budget, allocation));
  v1::Plan mixed = allocation.candidates(0);
  if (!params.recipe().candidates().mixed()) allocation.clear_candidates();
  AddUniform(units, *stored, budget, params.recipe().candidates().uniform(), allocation);
  if (allocation.candidates().empty()) *allocation.add_candidates() = std::move(mixed);
  return io.WriteProto(TaskFile::kAllocation, allocation);
}

}  // namespace bitwright::worker
