#include "workers/tasks/linear_options.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/allocate/pareto_front.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

constexpr size_t kMostOptions = 64;  // that are added to one unit

// What each linear may take: options as the unit has them, in their order.
absl::StatusOr<std::vector<std::vector<Option>>> OptionsOfLinears(const v1::Sensitivity::Unit& unit) {
  std::vector<std::vector<Option>> linears(static_cast<size_t>(unit.options(0).linears_size()));
  for (const v1::FormatOption& option : unit.options()) {
    if (option.linears_size() != std::ssize(linears)) {
      return TaskInputDamagedError(TaskFile::kSensitivity, "does not price all linears of '" + unit.name() + "'");
    }
    double sum = 0;
    for (const auto& linear : option.linears()) sum += linear.loss();
    const double factor = sum > 0 ? option.loss() / sum : 0;
    for (size_t l = 0; l < linears.size(); ++l) {
      const auto& price = option.linears(static_cast<int>(l));
      linears[l].push_back({price.bytes(), factor * price.loss()});
    }
  }
  return linears;
}

}  // namespace

absl::Status AddOptionsOfLinears(v1::Sensitivity::Unit& unit) {
  if (unit.options().empty() || unit.options(0).linears().empty()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const auto linears, OptionsOfLinears(unit));
  ABSL_ASSIGN_OR_RETURN(const std::vector<FrontChoice> front, ParetoFront(linears, kMostOptions));
  for (const FrontChoice& choice : front) {
    if (std::ranges::count(choice.option, choice.option.front()) == std::ssize(choice.option)) continue;
    v1::FormatOption mixed;
    for (const int32_t number : choice.option) {
      *mixed.mutable_format()->mutable_linears()->add_formats() = unit.options(number).format();
    }
    mixed.set_bytes(choice.bytes);
    mixed.set_loss(choice.loss);
    *unit.add_options() = std::move(mixed);
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
