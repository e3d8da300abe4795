#pragma once

#include "server/jobs/cuts.h"
#include "server/jobs/goal_context.h"

namespace bitwright::server {

// What the formats of one goal's target cost: profile[j], where the target stores them profile[ends], check[j].
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
  void Check(int index);

  const GoalContext& goal_;
  const int prices_;
  const GoalCuts cuts_;
};

}  // namespace bitwright::server
