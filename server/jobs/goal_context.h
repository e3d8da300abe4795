#pragma once

#include <string>

#include "proto/contract/live_set.h"
#include "server/jobs/costs.h"
#include "server/jobs/expand_context.h"
#include "server/jobs/expand_shared.h"

namespace bitwright::server {

// What the nodes of one goal are made from. Keeps references.
class GoalContext {
 public:
  GoalContext(ExpandContext& context, const SharedNodes& shared_nodes, int index);

  // Keys of goals behind the first carry the goal.
  std::string Key(std::string key) const;
  const v1::Budget& budget() const { return spec.budget(); }
  const std::string& target_name() const { return spec.target(); }
  // Whether a plan is looked for that meets a bound of quality.
  bool Searches() const;
  // Whether embedding and output head are units of the target.
  bool StoresEnds() const;
  // Plans of the allocation, once it is known.
  int candidates() const { return facts.allocation->candidates_size(); }
  v1::JobSpec SpecOfThisAlone() const;

  ExpandContext& all;
  const SharedNodes& shared;
  const int goal;  // which of the job's
  const v1::Goal& spec;
  const v1::Recipe& recipe;
  const GoalFacts& facts;
  const v1::TargetInfo& target;
  const int window;  // of calibration
  const Costs costs;
  const Costs evaluation_costs;
  const LiveSets live;
};

}  // namespace bitwright::server
