#pragma once

#include <string>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "workers/targets/target.h"

namespace bitwright::worker {

// README.md of an artifact: what it is, how it was measured, how to load it. Markdown with the front matter that model
// hubs read.
std::string ModelCard(const Target& target, const v1::ModelInfo& info, const v1::TargetInfo& described,
                      const v1::Plan& plan, const v1::Candidate& candidate, const v1::Selection& selection,
                      const v1::CardFacts& card);

// plan.json: the format of every unit with what was predicted, and what was measured for the whole.
std::string PlanJson(const v1::ModelInfo& info, const v1::Plan& plan, const v1::Candidate& candidate,
                     const v1::Selection& selection, const v1::CardFacts& card);

}  // namespace bitwright::worker
