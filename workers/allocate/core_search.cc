#include "workers/allocate/core_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bitwright::worker {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A change of one unit that might be part of a better plan.
struct Item {
  int64_t bytes;   // against the start, not 0
  double loss;     // against the start
  double reduced;  // loss + λ · bytes ≥ 0: what it adds to E beside the slack that it uses
  int32_t option;
};

// A unit with such changes.
struct CoreUnit {
  int32_t unit;
  size_t first, last;  // items
  double rate;         // least reduced cost per byte moved: the lower, the sooner a change of the unit pays
};

// What the units after a position can still do.
struct Rest {
  double fill_rate = kInfinity;   // least reduced cost per byte added
  double drain_rate = kInfinity;  // per byte freed
  double fill = 0, drain = 0;     // most bytes that they can add, free
};

struct State {
  int64_t bytes;
  double loss;
  int32_t trace;  // index of the last change, −1: none
};

struct Trace {
  int32_t parent;
  int32_t unit;
  int32_t option;
};

class Search {
 public:
  Search(const CoreProblem& problem, int64_t states) : p_(problem), budget_(states) {
    slack_ = static_cast<double>(p_.slack);
    best_ = p_.lambda * slack_;
  }

  CoreResult Run() {
    FindSingleChange();
    // A narrow pass finds a good plan; its excess then prunes the wide one.
    for (const int64_t width : {int64_t{1} << 10, int64_t{1} << 14, int64_t{1} << 18}) {
      lower_ = kInfinity;
      if (best_ <= p_.tolerance) break;
      Collect();
      Pass(width, budget_ / 3);
      if (lower_ == kInfinity) break;
    }
    CoreResult result;
    result.excess = best_;
    result.exhausted = lower_ >= best_ - p_.tolerance;
    result.lower = std::max(0.0, std::min(lower_, best_));
    result.changes = changes_;
    return result;
  }

 private:
  std::span<const Option> OptionsOf(int64_t c) const {
    return p_.table.options.subspan(p_.table.offsets[c], p_.table.offsets[c + 1] - p_.table.offsets[c]);
  }

  bool Improves(double excess) const { return excess < best_ - p_.tolerance; }

  // The best plan with one change, so that Collect has fewer items to keep.
  void FindSingleChange() {
    const double start = p_.lambda * slack_;
    for (size_t c = 0; c < p_.start->size(); ++c) {
      const auto options = OptionsOf(static_cast<int64_t>(c));
      const Option from = options[(*p_.start)[c]];
      for (size_t k = 0; k < options.size(); ++k) {
        const double excess = start + (options[k].loss - from.loss);
        if (options[k].bytes - from.bytes > p_.slack || !Improves(excess)) continue;
        best_ = excess;
        changes_ = {{static_cast<int32_t>(c), static_cast<int32_t>(k)}};
      }
    }
  }

  void Collect();
  void Pass(int64_t width, int64_t budget);
  void Expand(const CoreUnit& unit, const Rest& rest);
  void KeepBest(size_t width, const Rest& rest);
  void Record(const State& state, int32_t unit, int32_t option, double excess);

  // Least excess of any plan that goes on from these changes.
  double Bound(int64_t bytes, double loss, const Rest& rest) const {
    const double reduced = loss + p_.lambda * static_cast<double>(bytes);
    const double room = static_cast<double>(p_.slack - bytes);
    if (room < 0) return -room > rest.drain ? kInfinity : reduced - room * rest.drain_rate;
    const double filled = std::min(room, rest.fill);
    return reduced + p_.lambda * (room - filled) + (filled > 0 ? std::min(p_.lambda, rest.fill_rate) * filled : 0);
  }

  const CoreProblem& p_;
  const int64_t budget_;
  double slack_;
  double best_;                              // excess of the best plan known
  double lower_ = kInfinity;                 // least bound of what the pass gave up
  std::vector<CoreResult::Change> changes_;  // of the best plan
  std::vector<Item> items_;
  std::vector<CoreUnit> units_;
  std::vector<Rest> rests_;  // [units_ + 1]: of the units from a position on
  std::vector<State> states_, grown_, merged_;
  std::vector<Trace> trace_;
};

void Search::Collect() {
  items_.clear();
  units_.clear();
  for (size_t c = 0; c < p_.start->size(); ++c) {
    const auto options = OptionsOf(static_cast<int64_t>(c));
    const Option from = options[(*p_.start)[c]];
    CoreUnit unit{static_cast<int32_t>(c), items_.size(), 0, kInfinity};
    for (size_t k = 0; k < options.size(); ++k) {
      const int64_t bytes = options[k].bytes - from.bytes;
      const double loss = options[k].loss - from.loss;
      const double reduced = std::max(0.0, loss + p_.lambda * static_cast<double>(bytes));
      if (bytes == 0 || !Improves(reduced)) continue;
      items_.push_back({bytes, loss, reduced, static_cast<int32_t>(k)});
      unit.rate = std::min(unit.rate, reduced / std::abs(static_cast<double>(bytes)));
    }
    unit.last = items_.size();
    if (unit.last > unit.first) units_.push_back(unit);
  }
  std::stable_sort(units_.begin(), units_.end(), [](const CoreUnit& a, const CoreUnit& b) { return a.rate < b.rate; });
  rests_.assign(units_.size() + 1, Rest{});
  for (size_t u = units_.size(); u-- > 0;) {
    Rest rest = rests_[u + 1];
    double fill = 0, drain = 0;
    for (size_t i = units_[u].first; i < units_[u].last; ++i) {
      const double bytes = static_cast<double>(items_[i].bytes), size = std::abs(bytes);
      double& rate = bytes > 0 ? rest.fill_rate : rest.drain_rate;
      double& most = bytes > 0 ? fill : drain;
      rate = std::min(rate, items_[i].reduced / size);
      most = std::max(most, size);
    }
    rest.fill += fill;
    rest.drain += drain;
    rests_[u] = rest;
  }
}

void Search::Record(const State& state, int32_t unit, int32_t option, double excess) {
  best_ = excess;
  changes_ = {{unit, option}};
  for (int32_t t = state.trace; t >= 0; t = trace_[t].parent) changes_.push_back({trace_[t].unit, trace_[t].option});
}

// One step of the dynamic programme: every state as it is and with each change of the unit. A state that takes no fewer
// bytes than another and has no smaller loss is dominated and dropped, and so is one whose bound cannot improve on the
// best plan known. states_ stays ordered by rising bytes and falling loss.
void Search::Expand(const CoreUnit& unit, const Rest& rest) {
  const double start = p_.lambda * slack_;
  const size_t before = states_.size();
  merged_ = states_;
  for (size_t i = unit.first; i < unit.last; ++i) {
    const Item& item = items_[i];
    grown_.clear();
    for (size_t s = 0; s < before; ++s) {
      const int64_t bytes = states_[s].bytes + item.bytes;
      const double loss = states_[s].loss + item.loss;
      if (bytes <= p_.slack && Improves(start + loss)) Record(states_[s], unit.unit, item.option, start + loss);
      if (!Improves(Bound(bytes, loss, rest))) continue;
      trace_.push_back({states_[s].trace, unit.unit, item.option});
      grown_.push_back({bytes, loss, static_cast<int32_t>(trace_.size()) - 1});
    }
    const size_t middle = merged_.size();
    merged_.insert(merged_.end(), grown_.begin(), grown_.end());
    std::inplace_merge(
        merged_.begin(), merged_.begin() + static_cast<int64_t>(middle), merged_.end(),
        [](const State& a, const State& b) { return a.bytes != b.bytes ? a.bytes < b.bytes : a.loss < b.loss; });
  }
  states_.clear();
  double least = kInfinity;
  for (const State& state : merged_) {
    if (state.loss >= least) continue;
    least = state.loss;
    if (Improves(Bound(state.bytes, state.loss, rest))) states_.push_back(state);
  }
}

// Keeps the `width` states of least bound, and records in lower_ the least bound that it gives up.
void Search::KeepBest(size_t width, const Rest& rest) {
  std::vector<double> bounds;
  bounds.reserve(states_.size());
  for (const State& state : states_) bounds.push_back(Bound(state.bytes, state.loss, rest));
  std::vector<double> sorted = bounds;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<int64_t>(width), sorted.end());
  const double limit = sorted[width];
  size_t kept = 0;
  for (size_t s = 0; s < states_.size(); ++s) {
    if (bounds[s] < limit) states_[kept++] = states_[s];
  }
  states_.resize(kept);
  lower_ = std::min(lower_, limit);
}

void Search::Pass(int64_t width, int64_t budget) {
  trace_.clear();
  states_ = {{0, 0, -1}};
  int64_t seen = 0;
  for (size_t u = 0; u < units_.size() && !states_.empty(); ++u) {
    const int64_t items = static_cast<int64_t>(units_[u].last - units_[u].first);
    seen += static_cast<int64_t>(states_.size()) * items;
    if (seen > budget) {  // all units from here on keep their start
      for (const State& state : states_) lower_ = std::min(lower_, Bound(state.bytes, state.loss, rests_[u]));
      return;
    }
    Expand(units_[u], rests_[u + 1]);
    if (static_cast<int64_t>(states_.size()) > width) KeepBest(static_cast<size_t>(width), rests_[u + 1]);
  }
}

}  // namespace

CoreResult SearchCore(const CoreProblem& problem, int64_t states) { return Search(problem, states).Run(); }

}  // namespace bitwright::worker
