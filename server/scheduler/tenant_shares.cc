#include "server/scheduler/tenant_shares.h"

#include <algorithm>

#include "absl/time/time.h"

namespace bitwright::server {
namespace {

constexpr double kUnknownMean = 1;      // seconds, before any task has ended
constexpr double kLeastMean = 0.1;      // seconds; so that many tasks of no length do not begin at once
constexpr double kWeightOfNew = 0.125;  // of the last task in a mean
constexpr double kLeastLag = 60;        // slot-seconds
constexpr double kLagTasks = 2;         // means of the longest tasks

void AddToMean(std::optional<double>& mean, double seconds) {
  mean = mean ? *mean + kWeightOfNew * (seconds - *mean) : seconds;
}

}  // namespace

double TenantShares::MeanOf(const Share& share) const {
  return std::max(kLeastMean, share.mean.value_or(mean_.value_or(kUnknownMean)));
}

double TenantShares::Turn(const Share& share, MonotonicTime now) const {
  const double since = std::max(0.0, absl::ToDoubleSeconds(now - share.counted));
  return share.used + share.running * (since + MeanOf(share));
}

double TenantShares::Lag() const {
  double longest = 0;
  for (const auto& [tenant, share] : shares_) {
    if (share.has_work()) longest = std::max(longest, MeanOf(share));
  }
  return std::max(kLeastLag, kLagTasks * longest);
}

TenantTurns TenantShares::TurnsAt(MonotonicTime now) const {
  TenantTurns turns;
  double foremost = 0;
  for (const auto& [tenant, share] : shares_) {
    if (!share.has_work()) continue;
    const double turn = Turn(share, now);
    foremost = turns.empty() ? turn : std::max(foremost, turn);
    turns.emplace(tenant, turn);
  }
  const double least = foremost - Lag();
  for (auto& [tenant, turn] : turns) turn = std::max(turn, least);
  return turns;
}

// The share with all that it has had until now; where it had no work, it begins beside the others.
TenantShares::Share& TenantShares::Awake(const std::string& tenant, MonotonicTime now) {
  const bool idle = !shares_[tenant].has_work();
  const TenantTurns others = idle ? TurnsAt(now) : TenantTurns();
  Share& share = shares_[tenant];
  share.used += share.running * std::max(0.0, absl::ToDoubleSeconds(now - share.counted));
  share.counted = now;
  if (others.empty()) return share;
  const auto first =
      std::min_element(others.begin(), others.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  share.used = std::clamp(share.used, first->second, first->second + Lag());
  return share;
}

void TenantShares::Waits(const std::string& tenant, MonotonicTime now) { ++Awake(tenant, now).waiting; }

void TenantShares::WaitsNoLonger(const std::string& tenant) { --shares_[tenant].waiting; }

void TenantShares::Started(const std::string& tenant, MonotonicTime now) { ++Awake(tenant, now).running; }

void TenantShares::Ended(const std::string& tenant, std::optional<MonotonicTime> started, MonotonicTime now) {
  Share& share = Awake(tenant, now);
  --share.running;
  if (!started) return;
  const double seconds = std::max(0.0, absl::ToDoubleSeconds(now - *started));
  AddToMean(share.mean, seconds);
  AddToMean(mean_, seconds);
}

}  // namespace bitwright::server
