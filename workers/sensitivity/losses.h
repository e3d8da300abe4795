#pragma once

#include "workers/sensitivity/profile.h"

namespace bitwright::worker {

// Nats of KL divergence for one of proxy: kl / proxy. 0 where the proxy is not above 0: that rounding changes nothing
// the proxy can see, so that it says nothing of others either.
double AlphaOf(double kl, double proxy);

// Fills the losses of all formats from the measurements: α · proxy, in nats per token, with the α that was measured at
// the format's width, else that of the middle width, else the one of the nearest measured width. Measurements without
// an α are passed over; a unit of which none has one is told by its proxies alone (α = 1). A proxy below 0, which only
// rounding errors make, counts as 0.
void FillLosses(int middle_bits, UnitSensitivity& unit);

}  // namespace bitwright::worker
