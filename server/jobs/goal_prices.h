#pragma once

#include <vector>

#include "server/jobs/cuts.h"
#include "server/jobs/goal_context.h"

namespace bitwright::server {

// What the formats of one goal's target cost: profile[j], where the target stores them profile[ends].
class GoalPrices {
 public:
  // Keeps a reference. `prices`: the goal whose prices this one takes, itself or an earlier one of the same target.
  GoalPrices(const GoalContext& goal, int prices);

  // Nothing where they are another goal's.
  void Add();
  void Link(NodeBuilder& allocate) const;

 private:
  void Profile(int index);
  void ProfileEnds();

  const GoalContext& goal_;
  const int prices_;
  const std::vector<ProfileCut> profiles_;
};

}  // namespace bitwright::server
