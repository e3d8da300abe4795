#include "workers/allocate/relaxation.h"

#include <algorithm>

namespace bitwright::worker {
namespace {

// From one option of a unit's hull to the next: `bytes` more for slope · bytes less loss.
struct Step {
  double slope;
  int64_t bytes;
  int32_t unit;
  int32_t option;  // where it leads
};

// By falling slope; among equal slopes the unit of lower index comes first. The slopes along one hull fall strictly, so
// this order never takes a later step of a unit before an earlier one.
bool TakenBefore(const Step& a, const Step& b) { return a.slope != b.slope ? a.slope > b.slope : a.unit < b.unit; }

// The lower convex hull of one unit's options in order of bytes, from the smallest to the one of least loss.
class Hull {
 public:
  void Build(std::span<const Option> options) {
    order_.resize(options.size());
    for (size_t k = 0; k < order_.size(); ++k) order_[k] = static_cast<int32_t>(k);
    std::sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) {
      const Option &x = options[a], &y = options[b];
      if (x.bytes != y.bytes) return x.bytes < y.bytes;
      return x.loss != y.loss ? x.loss < y.loss : a < b;
    });
    points_.clear();
    for (const int32_t k : order_) {
      if (!points_.empty() && options[k].loss >= options[points_.back()].loss) continue;  // dominated
      while (points_.size() >= 2 &&
             Slope(options, points_[points_.size() - 2], points_.back()) <= Slope(options, points_.back(), k)) {
        points_.pop_back();
      }
      points_.push_back(k);
    }
  }
  const std::vector<int32_t>& points() const { return points_; }

  static double Slope(std::span<const Option> options, int32_t from, int32_t to) {
    return (options[from].loss - options[to].loss) / static_cast<double>(options[to].bytes - options[from].bytes);
  }

 private:
  std::vector<int32_t> order_, points_;
};

// Moves the longest prefix (in the order of TakenBefore) that fits into `room` to the front and returns its length.
// Halves the range by selection instead of sorting it (Balas & Zemel, Operations Research 28, 1980), so most steps are
// never ordered among themselves.
size_t SelectPrefix(std::vector<Step>& steps, int64_t room) {
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
  result.option.resize(static_cast<size_t>(units));
  std::vector<Step> steps;
  steps.reserve(table.options.size() - static_cast<size_t>(units));
  Hull hull;
  for (int32_t c = 0; c < units; ++c) {
    const auto options = table.options.subspan(table.offsets[c], table.offsets[c + 1] - table.offsets[c]);
    hull.Build(options);
    const std::vector<int32_t>& points = hull.points();
    result.option[c] = points[0];
    result.smallest += options[points[0]].bytes;
    for (size_t i = 1; i < points.size(); ++i) {
      steps.push_back({Hull::Slope(options, points[i - 1], points[i]),
                       options[points[i]].bytes - options[points[i - 1]].bytes, c, points[i]});
    }
  }
  result.bytes = result.smallest;
  result.feasible = result.smallest <= budget;
  if (!result.feasible) return result;
  const size_t taken = SelectPrefix(steps, budget - result.smallest);
  std::vector<int64_t> reached(static_cast<size_t>(units), -1);  // bytes of the furthest option taken
  for (size_t i = 0; i < taken; ++i) {
    const Step& step = steps[i];
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
