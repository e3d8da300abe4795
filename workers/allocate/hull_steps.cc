#include "workers/allocate/hull_steps.h"

#include <algorithm>

namespace bitwright::worker {
namespace {

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

}  // namespace

bool TakenBefore(const HullStep& a, const HullStep& b) {
  return a.slope != b.slope ? a.slope > b.slope : a.unit < b.unit;
}

HullSteps StepsOf(OptionTable table) {
  const int32_t units = static_cast<int32_t>(table.offsets.size()) - 1;
  HullSteps result;
  result.smallest.resize(static_cast<size_t>(units));
  result.steps.reserve(table.options.size() - static_cast<size_t>(units));
  Hull hull;
  for (int32_t c = 0; c < units; ++c) {
    const auto options = table.options.subspan(table.offsets[c], table.offsets[c + 1] - table.offsets[c]);
    hull.Build(options);
    const std::vector<int32_t>& points = hull.points();
    result.smallest[c] = points[0];
    result.bytes += options[points[0]].bytes;
    result.loss += options[points[0]].loss;
    for (size_t i = 1; i < points.size(); ++i) {
      result.steps.push_back({Hull::Slope(options, points[i - 1], points[i]),
                              options[points[i]].bytes - options[points[i - 1]].bytes, c, points[i]});
    }
  }
  return result;
}

}  // namespace bitwright::worker
