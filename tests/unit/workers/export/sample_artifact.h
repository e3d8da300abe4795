#pragma once

#include <random>
#include <string>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "bitwright/v1/tasks.pb.h"

namespace bitwright::worker {

// What inspect would say of a model with these sizes; every unit has one linear more than the last, up to three.
v1::ModelInfo SampleInfo(int blocks, int64_t hidden, int64_t intermediate, const std::string& dtype = "BF16");

// A plan that takes any of its options for each unit; its numbers are what a job could bring.
v1::Plan RandomPlan(const v1::ModelInfo& info, std::mt19937& random);

// Measurements of any size, and names as long as a job may have them.
v1::Candidate RandomCandidate(std::mt19937& random);
v1::Selection RandomSelection(std::mt19937& random);
v1::CardFacts RandomCard(const v1::ModelInfo& info, std::mt19937& random);

}  // namespace bitwright::worker
