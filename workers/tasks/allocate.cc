#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include "absl/strings/str_format.h"
#include "bitwright/v1/models.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/budget_kind.h"
#include "proto/contract/notices.h"
#include "proto/contract/task_names.h"
#include "workers/allocate/knapsack.h"
#include "workers/allocate/pareto_front.h"
#include "workers/targets/artifact.h"
#include "workers/targets/format_messages.h"
#include "workers/tasks/checked_losses.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/linear_options.h"
#include "workers/tasks/model_notices.h"
#include "workers/tasks/recipe_options.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

// A uniform plan whose predicted loss is this many times the best one's cannot win: the ratio of two such predictions
// was within 5 % of the measured one on every model tried.
constexpr double kUniformMargin = 1.25;

// Of the front so many plans can be measured, so many points are told of.
constexpr size_t kMostFrontPlans = 256;
constexpr size_t kMostFrontPoints = 64;

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
  const v1::Sensitivity::Unit& first = units[units_of_class.front()];
  for (int o = 0; o < first.options_size(); ++o) {
    ClassOption option;
    for (const size_t u : units_of_class) {
      const int number = &units[u] == &first ? o : FindOption(units[u], first.options(o).format());
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

double AverageBits(int64_t weight_bytes, const v1::TargetInfo& target) {
  return 8 * static_cast<double>(weight_bytes) / static_cast<double>(target.quantized_weights());
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
  plan.set_average_bits(AverageBits(plan.weight_bytes(), target));
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

// Those than which none of no more bytes is predicted to lose less, by rising bytes.
std::vector<v1::Plan> FrontOf(std::vector<v1::Plan> plans) {
  std::stable_sort(plans.begin(), plans.end(), [](const v1::Plan& a, const v1::Plan& b) {
    return std::pair(a.weight_bytes(), a.predicted_loss()) < std::pair(b.weight_bytes(), b.predicted_loss());
  });
  std::vector<v1::Plan> front;
  for (v1::Plan& plan : plans) {
    if (front.empty() || plan.predicted_loss() < front.back().predicted_loss()) front.push_back(std::move(plan));
  }
  return front;
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

// What the optimizer chooses from: the options of every class of units.
class MixedPlans {
 public:
  // TIE_WITHOUT_FORMAT.
  static absl::StatusOr<MixedPlans> Make(const UnitOptions& units, const v1::ModelInfo& info,
                                         const v1::TargetInfo& target) {
    MixedPlans plans(units, target, ClassesOf(info, units.size()));
    for (const Class& one : plans.classes_) {
      plans.options_.push_back(OptionsOf(one, units));
      if (plans.options_.back().empty()) {
        return TieWithoutFormatError(info.units(static_cast<int>(one.front())).tie());
      }
      std::vector<Option>& sums = plans.sums_.emplace_back();
      for (const ClassOption& option : plans.options_.back()) sums.push_back(option.sum);
    }
    return plans;
  }

  std::span<const std::vector<Option>> sums() const { return sums_; }

  // `choice`: one option for each class.
  v1::Plan Plan(const std::string& name, std::span<const int32_t> choice) const {
    std::vector<int> by_unit(units_.size());
    for (size_t c = 0; c < classes_.size(); ++c) {
      const ClassOption& chosen = options_[c][static_cast<size_t>(choice[c])];
      for (size_t i = 0; i < classes_[c].size(); ++i) by_unit[classes_[c][i]] = chosen.of_units[i];
    }
    return MakePlan(v1::PLAN_KIND_MIXED, name, units_, by_unit, target_);
  }

 private:
  MixedPlans(const UnitOptions& units, const v1::TargetInfo& target, std::vector<Class> classes)
      : units_(units), target_(target), classes_(std::move(classes)) {}

  const UnitOptions& units_;
  const v1::TargetInfo& target_;
  std::vector<Class> classes_;
  std::vector<std::vector<ClassOption>> options_;  // of each class
  std::vector<std::vector<Option>> sums_;          // likewise
};

// The plan of least predicted loss within the budget.
absl::Status AddMixed(const MixedPlans& plans, int64_t budget, v1::Allocation& allocation) {
  ABSL_ASSIGN_OR_RETURN(const Choice choice, Solve(plans.sums(), budget));
  *allocation.add_candidates() = plans.Plan("mixed", choice.option);
  allocation.set_bound(choice.bound);
  allocation.set_gap(std::max(choice.loss - choice.bound, 0.0));
  allocation.set_lambda(choice.lambda);
  allocation.set_proved_optimal(choice.proved_optimal);
  return absl::OkStatus();
}

// A budget of bytes: the optimizer's plan, and uniform ones beside it.
absl::Status PlanWithin(const v1::AllocateParams& params, const MixedPlans& mixed, const UnitOptions& units,
                        const v1::TargetInfo& target, v1::Allocation& allocation) {
  const int64_t budget = WeightBudget(params.budget(), target);
  allocation.set_weight_budget_bytes(budget);
  // The relaxation is solved for its bound also when only uniform plans are wanted, and refuses a budget that nothing
  // fits.
  ABSL_RETURN_IF_ERROR(AddMixed(mixed, budget, allocation));
  v1::Plan optimal = allocation.candidates(0);
  if (!params.recipe().candidates().mixed()) allocation.clear_candidates();
  AddUniform(units, target, budget, params.recipe().candidates().uniform(), allocation);
  if (allocation.candidates().empty()) *allocation.add_candidates() = std::move(optimal);
  return absl::OkStatus();
}

// A bound of quality: the plans of the front, to be searched by measuring, and uniform ones to compare with.
void PlanFront(const v1::AllocateParams& params, const MixedPlans& mixed, std::span<const FrontChoice> front,
               const UnitOptions& units, const v1::TargetInfo& target, v1::Allocation& allocation) {
  std::vector<v1::Plan> uniform = UniformPlans(units, target, std::numeric_limits<int64_t>::max());
  if (params.recipe().candidates().mixed() || uniform.empty()) {
    for (size_t i = 0; i < front.size(); ++i) {
      *allocation.add_candidates() = mixed.Plan(absl::StrFormat("mixed-%03d", i), front[i].option);
    }
    // Each is the optimum of its own size.
    allocation.set_proved_optimal(true);
  } else {
    uniform = FrontOf(std::move(uniform));
  }
  for (v1::Plan& plan : uniform) *allocation.add_candidates() = std::move(plan);
}

void AddFront(std::span<const FrontChoice> front, const v1::TargetInfo& target, v1::Allocation& allocation) {
  for (const size_t i : EvenlySpread(front.size(), kMostFrontPoints)) {
    const FrontChoice& choice = front[i];
    v1::FrontPoint& point = *allocation.add_front();
    point.set_average_bits(AverageBits(choice.bytes, target));
    point.set_artifact_bytes(choice.bytes + target.kept_bytes() + target.overhead_bytes());
    point.set_predicted_loss(choice.loss);
  }
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
  UnitOptions choices = units;
  for (v1::Sensitivity::Unit& unit : choices) ABSL_RETURN_IF_ERROR(AddOptionsOfLinears(unit));
  ABSL_ASSIGN_OR_RETURN(const MixedPlans mixed, MixedPlans::Make(choices, info, *stored));
  ABSL_ASSIGN_OR_RETURN(const std::vector<FrontChoice> front, ParetoFront(mixed.sums(), kMostFrontPlans));
  if (IsBound(params.budget())) {
    PlanFront(params, mixed, front, units, *stored, allocation);
  } else {
    ABSL_RETURN_IF_ERROR(PlanWithin(params, mixed, units, *stored, allocation));
  }
  AddFront(front, *stored, allocation);
  ABSL_RETURN_IF_ERROR(io.WriteProto(TaskFile::kAllocation, allocation));
  v1::Sensitivity prices;
  prices.mutable_units()->Assign(units.begin(), units.end());
  return io.WriteProto(TaskFile::kPrices, prices);
}

}  // namespace bitwright::worker
