#include "server/jobs/bound_search.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace bitwright::server {
namespace {

constexpr double kLeast = 1e-12;  // of a loss whose logarithm is taken

double Limit(const v1::Budget& bound) {
  return bound.has_max_kl_divergence() ? bound.max_kl_divergence() : bound.max_perplexity_rise();
}

double Log(double loss) { return std::log(std::max(loss, kLeast)); }

// An end of the bracket. Beyond the ends of the front nothing was measured.
struct End {
  int plan;
  std::optional<double> measured;
};

// Between the last plan that is known to fail and the first that is known to meet the bound.
struct Bracket {
  End fails, meets;
  int size() const { return meets.plan - fails.plan; }
};

class Search {
 public:
  Search(const v1::Budget& bound, const v1::Allocation& allocation)
      : bound_(bound), allocation_(allocation), bracket_{{-1, {}}, {FrontPlans(allocation), {}}} {
    sizes_.push_back(bracket_.size());
  }

  void Learn(const v1::Probe& probe) {
    if (probe.plan() <= bracket_.fails.plan || probe.plan() >= bracket_.meets.plan) return;
    (MeetsBound(bound_, probe) ? bracket_.meets : bracket_.fails) = {probe.plan(), BoundedLoss(bound_, probe)};
    sizes_.push_back(bracket_.size());
  }

  BoundSearch Stand() const {
    if (bracket_.size() > 1) return {Next(), {}};
    if (!bracket_.meets.measured) return {};
    return {{}, bracket_.meets.plan};
  }

 private:
  int Next() const {
    const int first = bracket_.fails.plan + 1, last = bracket_.meets.plan - 1;
    const size_t known = sizes_.size();
    if (known > 2 && 2 * sizes_[known - 1] > sizes_[known - 3]) return first + (last - first) / 2;
    int plan = first;
    while (plan < last && Expected(plan) > Log(Limit(bound_))) ++plan;
    return plan;
  }

  // Logarithm of the loss that the plan is expected to have.
  double Expected(int plan) const {
    const double predicted = Predicted(plan);
    const End &fails = bracket_.fails, &meets = bracket_.meets;
    if (!fails.measured && !meets.measured) return predicted;
    if (!meets.measured) return Log(*fails.measured) + predicted - Predicted(fails.plan);
    if (!fails.measured) return Log(*meets.measured) + predicted - Predicted(meets.plan);
    const double run = Predicted(meets.plan) - Predicted(fails.plan);
    const double share = run == 0 ? 0.5 : (predicted - Predicted(fails.plan)) / run;
    return Log(*fails.measured) + share * (Log(*meets.measured) - Log(*fails.measured));
  }

  double Predicted(int plan) const { return Log(allocation_.candidates(plan).predicted_loss()); }

  const v1::Budget& bound_;
  const v1::Allocation& allocation_;
  Bracket bracket_;
  std::vector<int> sizes_;  // of the bracket, before and after every probe
};

}  // namespace

int FrontPlans(const v1::Allocation& allocation) {
  int plans = 0;
  while (plans < allocation.candidates_size() &&
         allocation.candidates(plans).kind() == allocation.candidates(0).kind()) {
    ++plans;
  }
  return plans;
}

BoundSearch SearchBound(const v1::Budget& bound, const v1::Allocation& allocation, std::span<const v1::Probe> probes) {
  Search search(bound, allocation);
  for (const v1::Probe& probe : probes) search.Learn(probe);
  return search.Stand();
}

double BoundedLoss(const v1::Budget& bound, const v1::Probe& probe) {
  return bound.has_max_kl_divergence() ? probe.kl_divergence() : probe.perplexity_ratio() - 1;
}

bool MeetsBound(const v1::Budget& bound, const v1::Probe& probe) { return BoundedLoss(bound, probe) <= Limit(bound); }

std::optional<int> UniformBeside(const v1::Allocation& allocation, int plan) {
  std::optional<int> best;
  for (int u = FrontPlans(allocation); u < allocation.candidates_size(); ++u) {
    const v1::Plan& uniform = allocation.candidates(u);
    if (uniform.weight_bytes() > allocation.candidates(plan).weight_bytes()) continue;
    if (!best || uniform.predicted_loss() < allocation.candidates(*best).predicted_loss()) best = u;
  }
  return best;
}

}  // namespace bitwright::server
