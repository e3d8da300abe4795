#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bitwright/v1/tasks.pb.h"
#include "proto/contract/live_set.h"
#include "server/jobs/costs.h"
#include "server/jobs/expand_context.h"

namespace bitwright::server {

// Who answers questions and writes a sample: the unquantized model, number 0 in keys and names, or the selected plan of
// a goal, number 1.
struct Answerer {
  std::optional<int> goal;  // nothing: the unquantized model
  const LiveSets& live;
  const Costs& costs;
  std::function<void(NodeBuilder&)> link_weights;  // of the plan
};

// score[f,a,s] and grade[f,a] of each file of questions, sample[a] where one is asked for.
void AddAnswers(ExpandContext& context, const Answerer& answerer, const std::vector<v1::QuestionsSummary>& files);

// What a goal's report reads of them, both answerers'; and the keys of the nodes that it comes from.
void LinkAnswers(const v1::JobSpec& spec, int goal, NodeBuilder& report);
std::vector<std::string> AnswerKeys(const v1::JobSpec& spec, int goal);

}  // namespace bitwright::server
