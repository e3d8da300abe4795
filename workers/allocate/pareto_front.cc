#include "workers/allocate/pareto_front.h"

#include <algorithm>
#include <utility>

#include "proto/base/status_macros.h"
#include "workers/allocate/hull_steps.h"

namespace bitwright::worker {

std::vector<size_t> EvenlySpread(size_t all, size_t most) {
  std::vector<size_t> numbers;
  const size_t count = std::min(all, most);
  for (size_t i = 0; i < count; ++i) numbers.push_back(count == 1 ? 0 : i * (all - 1) / (count - 1));
  return numbers;
}

absl::StatusOr<std::vector<FrontChoice>> ParetoFront(std::span<const std::vector<Option>> units, size_t most) {
  const FlatOptions flat(units);
  const OptionTable table = flat.table();
  ABSL_RETURN_IF_ERROR(CheckOptions(table));
  HullSteps hulls = StepsOf(table);
  std::sort(hulls.steps.begin(), hulls.steps.end(), TakenBefore);
  FrontChoice choice{std::move(hulls.smallest), hulls.bytes, hulls.loss};
  std::vector<FrontChoice> front;
  size_t taken = 0;
  for (const size_t number : EvenlySpread(hulls.steps.size() + 1, most)) {
    for (; taken < number; ++taken) {
      const HullStep& step = hulls.steps[taken];
      choice.option[static_cast<size_t>(step.unit)] = step.option;
      choice.bytes += step.bytes;
      choice.loss -= step.slope * static_cast<double>(step.bytes);
    }
    front.push_back(choice);
  }
  return front;
}

}  // namespace bitwright::worker
