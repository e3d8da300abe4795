#pragma once

#include <random>
#include <string>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "workers/targets/target.h"

namespace bitwright::worker {

// What inspect would say of a model with these sizes; every unit has one linear more than the last, up to three.
v1::ModelInfo SampleInfo(int blocks, int64_t hidden, int64_t intermediate, const std::string& dtype = "BF16");

inline constexpr char kSampleConfig[] =
    R"({"architectures":["LlamaForCausalLM"],"note":"ä","eps":1e-05,"nothing":null})";

// That model with a small config.json, and two files that an artifact takes over.
TargetModel SampleModel(const v1::ModelInfo& info);

// Fills info.targets as inspect would, for compressed-tensors alone; once more where info has changed.
void Describe(v1::ModelInfo& info);

// A plan that takes any of its options for each unit; its numbers are what a job could bring.
v1::Plan RandomPlan(const v1::ModelInfo& info, std::mt19937& random);

// Measurements of any size, and names as long as a job may have them.
v1::Candidate RandomCandidate(std::mt19937& random);
v1::Selection RandomSelection(std::mt19937& random);
v1::CardFacts RandomCard(const v1::ModelInfo& info, std::mt19937& random);

}  // namespace bitwright::worker
