#pragma once

#include <optional>

#include "server/jobs/costs.h"
#include "server/jobs/goal_context.h"

namespace bitwright::server {

// The plans of one goal, rounded and measured. They are rounded all together, so that those which agree on a unit share
// its rounding; where plans are searched for, each by itself.
class GoalPlans {
 public:
  // Keeps a reference. Precondition: the goal is allocated, whenever one of these is called.
  explicit GoalPlans(const GoalContext& goal) : goal_(goal) {}

  void QuantizeAll();              // quantize[j], quantize[ends]
  void Quantize(int plan);         // quantize[plan,c,j], quantize[ends,c]
  void Evaluate(int plan);         // evaluate[c,i]
  void EvaluateHeldOut(int plan);  // evaluate[held-out,c]
  // All weights of a plan, as inputs.
  void LinkWeights(NodeBuilder& builder, int plan) const;

 private:
  // Blocks of one range, or the ends; of all plans, or of one.
  void QuantizeRange(int range, std::optional<int> plan);
  void QuantizeEnds(std::optional<int> plan);
  template <typename Wanted>
  void AddUnits(const Wanted& wanted, std::optional<int> plan, v1::QuantizeParams& params) const;
  void FillEvaluate(NodeBuilder& builder, int plan, int window, const Costs& costs);

  const GoalContext& goal_;
};

}  // namespace bitwright::server
