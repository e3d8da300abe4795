#pragma once

#include <optional>
#include <span>

#include "bitwright/v1/plans.pb.h"
#include "bitwright/v1/reports.pb.h"

namespace bitwright::server {

// Where the search for the smallest plan that meets a bound of quality stands.
struct BoundSearch {
  std::optional<int> next;  // the plan to be measured now; nothing: the search has ended
  std::optional<int>
      selected;  // once it has ended: the smallest plan of the front that meets the bound; nothing: none does
};

// How many plans of an allocation under a bound are of its front: those before the first of another kind.
int FrontPlans(const v1::Allocation& allocation);

// Bisection over the front, whose plans rise in bytes and fall in predicted loss. A plan is taken to meet the bound by
// what was measured of it alone; predictions only say where to look next: where the line through the measured ends of
// the bracket, in logarithms of predicted and measured loss, reaches the bound; with one end measured the line of
// slope 1 through it, at the beginning the prediction itself. Where two probes have not halved the bracket the next one
// is its middle. The search ends when the plan that meets the bound and the next smaller one, which does not, are both
// measured; so it takes at most 3 · log2(plans) probes, mostly three or four.
// `probes`: those measured so far, in order. Pure: the same facts lead the same way.
BoundSearch SearchBound(const v1::Budget& bound, const v1::Allocation& allocation, std::span<const v1::Probe> probes);

// What a probe says of the quantity that is bounded.
double BoundedLoss(const v1::Budget& bound, const v1::Probe& probe);
bool MeetsBound(const v1::Budget& bound, const v1::Probe& probe);

// Of the plans behind the front the one of lowest predicted loss that takes no more bytes than `plan`, to compare it
// with; nothing: there is none.
std::optional<int> UniformBeside(const v1::Allocation& allocation, int plan);

}  // namespace bitwright::server
