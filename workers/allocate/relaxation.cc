#include "workers/allocate/relaxation.h"

#include <algorithm>
#include <utility>

#include "workers/allocate/hull_steps.h"

namespace bitwright::worker {
namespace {

// Moves the longest prefix (in the order of TakenBefore) that fits into `room` to the front and returns its length.
// Halves the range by selection instead of sorting it (Balas & Zemel, Operations Research 28, 1980), so most steps are
// never ordered among themselves.
size_t SelectPrefix(std::vector<HullStep>& steps, int64_t room) {
  size_t low = 0, high = steps.size();  // all before low fit; high is the end of what may fit
  while (high - low > 16) {
    const size_t middle = low + (high - low) / 2;
    std::nth_element(steps.begin() + low, steps.begin() + middle, steps.begin() + high, TakenBefore);
    int64_t bytes = 0;
    for (size_t i = low; i < middle; ++i) bytes += steps[i].bytes;
    if (bytes <= room) {
      room -= bytes;
      low = middle;
    } else {
      high = middle;
    }
  }
  std::sort(steps.begin() + low, steps.begin() + high, TakenBefore);
  while (low < high && steps[low].bytes <= room) room -= steps[low++].bytes;
  return low;
}

}  // namespace

Relaxation Relax(OptionTable table, int64_t budget) {
  const int32_t units = static_cast<int32_t>(table.offsets.size()) - 1;
  Relaxation result;
  HullSteps hulls = StepsOf(table);
  std::vector<HullStep>& steps = hulls.steps;
  result.option = std::move(hulls.smallest);
  result.smallest = hulls.bytes;
  result.bytes = result.smallest;
  result.feasible = result.smallest <= budget;
  if (!result.feasible) return result;
  const size_t taken = SelectPrefix(steps, budget - result.smallest);
  std::vector<int64_t> reached(static_cast<size_t>(units), -1);  // bytes of the furthest option taken
  for (size_t i = 0; i < taken; ++i) {
    const HullStep& step = steps[i];
    result.bytes += step.bytes;
    const int64_t bytes = table.options[table.offsets[step.unit] + step.option].bytes;
    if (bytes <= reached[step.unit]) continue;
    reached[step.unit] = bytes;
    result.option[step.unit] = step.option;
  }
  if (taken < steps.size()) result.lambda = steps[taken].slope;
  return result;
}

}  // namespace bitwright::worker
