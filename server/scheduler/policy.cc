#include "server/scheduler/policy.h"

#include <algorithm>
#include <tuple>

namespace bitwright::server {
namespace {

constexpr absl::Duration kFirstStorePause = absl::Milliseconds(100);
constexpr absl::Duration kLongestStorePause = absl::Seconds(30);

}  // namespace

bool Offer::Fits(const Requirements& needs) const {
  if (!needs.code_version.empty() && needs.code_version != code_version) return false;
  if (!needs.compute_class.empty() && needs.compute_class != compute_class) return false;
  return needs.MemoryFits(memory_bytes, threads, small_lane);
}

std::optional<Offer> ChooseOffer(const std::vector<Offer>& offers, const Requirements& needs, const std::string& code) {
  const auto worth = [&](const Offer& offer) {
    return std::make_tuple(!offer.closed, offer.free_places > 0, offer.code_version == code, offer.cores,
                           offer.compute_class, offer.code_version);
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
