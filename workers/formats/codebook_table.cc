#include "workers/formats/codebook_table.h"

#include <algorithm>
#include <limits>

namespace bitwright::worker {
namespace {

constexpr int kParts = 4096;

// Sums over the points before an index.
struct Sums {
  double weight = 0, first = 0, second = 0;
};

class BestCuts {
 public:
  explicit BestCuts(std::vector<Sums> before) : before_(std::move(before)), least_(count() + 1), begins_() {
    for (size_t end = 1; end <= count(); ++end) least_[end] = Cost(0, end);
    begins_.emplace_back(count() + 1, 0);
  }

  size_t count() const { return before_.size() - 1; }

  // From the best cuts into so many runs to those into one more.
  void AddRun() {
    std::vector<double> next(count() + 1, std::numeric_limits<double>::infinity());
    next[0] = 0;
    begins_.emplace_back(count() + 1, 0);
    Fill(1, count(), 0, count() - 1, next);
    least_ = std::move(next);
  }

  // Centroids of the cut of all points into as many runs as were added.
  std::vector<double> Centroids() const {
    std::vector<double> centroids;
    size_t end = count();
    for (size_t run = begins_.size(); run-- > 0;) {
      const size_t begin = begins_[run][end];
      if (begin == end) continue;
      const Sums &a = before_[begin], &b = before_[end];
      centroids.push_back((b.first - a.first) / (b.weight - a.weight));
      end = begin;
    }
    std::ranges::reverse(centroids);
    return centroids;
  }

 private:
  // Of the points [begin, end) as one run.
  double Cost(size_t begin, size_t end) const {
    const double weight = before_[end].weight - before_[begin].weight;
    if (weight <= 0) return 0;
    const double first = before_[end].first - before_[begin].first;
    return std::max(before_[end].second - before_[begin].second - first * first / weight, 0.0);
  }

  // next[end] of ends in [low, high], whose last runs begin in [least, most].
  void Fill(size_t low, size_t high, size_t least, size_t most, std::vector<double>& next) {
    if (low > high) return;
    const size_t end = low + (high - low) / 2;
    size_t& best = begins_.back()[end];
    best = least;
    for (size_t begin = least; begin <= std::min(most, end); ++begin) {
      const double cost = least_[begin] + Cost(begin, end);
      if (cost < next[end]) {
        next[end] = cost;
        best = begin;
      }
    }
    const size_t split = best;
    if (end > low) Fill(low, end - 1, least, split, next);
    Fill(end + 1, high, split, most, next);
  }

  const std::vector<Sums> before_;
  std::vector<double> least_;                // by end: cost of the best cut of the points before it
  std::vector<std::vector<size_t>> begins_;  // by runs, then end: where the last run of that cut begins
};

}  // namespace

std::vector<double> WeightedKMeans(std::span<const double> points, std::span<const double> weights, size_t k) {
  std::vector<Sums> before(1);
  for (size_t i = 0; i < points.size(); ++i) {
    if (weights[i] <= 0) continue;
    const Sums& last = before.back();
    before.push_back({last.weight + weights[i], last.first + weights[i] * points[i],
                      last.second + weights[i] * points[i] * points[i]});
  }
  if (before.size() == 1 || k == 0) return {};
  BestCuts cuts(std::move(before));
  const size_t runs = std::min(k, cuts.count());
  for (size_t run = 1; run < runs; ++run) cuts.AddRun();
  return cuts.Centroids();
}

std::vector<float> KMeansTable(CodebookFormat format, std::span<const float> weights, std::span<const float> scales,
                               std::span<const float> diagonal) {
  const size_t in = diagonal.size(), group = weights.size() / scales.size();
  std::vector<double> weight(kParts), sum(kParts);
  for (size_t i = 0; i < weights.size(); ++i) {
    const double scale = scales[i / group], x = weights[i] / scale;
    const auto part = static_cast<size_t>(std::clamp((x + 1) / 2 * double{kParts}, 0.0, double{kParts - 1}));
    const double counts = diagonal[i % in] * scale * scale;
    weight[part] += counts;
    sum[part] += counts * x;
  }
  std::vector<double> points(kParts);
  for (size_t p = 0; p < kParts; ++p) points[p] = weight[p] > 0 ? sum[p] / weight[p] : 0;
  std::vector<float> table;
  for (const double centroid : WeightedKMeans(points, weight, format.values())) {
    const auto value = static_cast<float>(centroid);
    if (table.empty() || value > table.back()) table.push_back(value);
  }
  while (table.size() < format.values()) table.push_back(table.empty() ? 0 : table.back() + 1);
  return table;
}

}  // namespace bitwright::worker
