#include "server/scheduler/policy.h"

#include <algorithm>
#include <tuple>

#include "proto/contract/code_version.h"
#include "proto/contract/compute_class.h"
#include "proto/contract/devices.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kFirstStorePause = absl::Milliseconds(100);
constexpr absl::Duration kLongestStorePause = absl::Seconds(30);

}  // namespace

bool Offer::Fits(const Requirements& needs) const {
  if (!needs.code_version.empty() && !RunsCode(code_version, needs.code_version)) return false;
  if (!needs.compute_class.empty() && needs.compute_class != compute_class) return false;
  if (!needs.device.empty() && needs.device != DeviceOfClass(compute_class)) return false;
  return needs.MemoryFits({memory_bytes, device_memory_bytes, threads, small_lane});
}

std::optional<Offer> ChooseOffer(const std::vector<Offer>& offers, const Requirements& needs, const std::string& code) {
  const auto worth = [&](const Offer& offer) {
    const bool faster = needs.numeric && DeviceOfClass(offer.compute_class) == DeviceKind::kCuda;
    return std::make_tuple(!offer.closed, faster, offer.free_places > 0,
                           ProgramOf(offer.code_version) == ProgramOf(code), offer.cores, offer.compute_class,
                           offer.code_version);
  };
  std::optional<Offer> best;
  for (const Offer& offer : offers) {
    if (offer.Fits(needs) && (!best || worth(*best) < worth(offer))) best = offer;
  }
  return best;
}

bool AnyFits(const std::vector<Offer>& offers, const Requirements& needs) {
  return std::any_of(offers.begin(), offers.end(), [&](const Offer& offer) { return offer.Fits(needs); });
}

bool AnyOpenFits(const std::vector<Offer>& offers, const Requirements& needs) {
  return std::any_of(offers.begin(), offers.end(),
                     [&](const Offer& offer) { return !offer.closed && offer.Fits(needs); });
}

absl::Duration RetryDelay(int attempt) {
  if (attempt <= 1) return absl::ZeroDuration();
  if (attempt == 2) return absl::Seconds(1);
  if (attempt == 3) return absl::Seconds(5);
  return absl::Seconds(25);
}

absl::Duration StorePause(int refusals) {
  absl::Duration pause = kFirstStorePause;
  for (int i = 1; i < refusals && pause < kLongestStorePause; ++i) pause *= 2;
  return std::min(pause, kLongestStorePause);
}

}  // namespace bitwright::server
