#pragma once

#include <span>
#include <vector>

#include "bitwright/v1/reports.pb.h"

namespace bitwright::worker {

// A question and what a model said of its choices.
struct AnsweredQuestion {
  std::vector<double> log_likelihoods;  // of each choice, nats
  std::vector<double> characters;       // of each choice
  int answer = 0;
};

// The metrics that lm-evaluation-harness has for the task, in its order (README.md). `questions`: one at least.
v1::ChoiceGrade Grade(v1::ChoiceTask task, std::span<const AnsweredQuestion> questions);

}  // namespace bitwright::worker
