#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/recipes.pb.h"
#include "bitwright/v1/workers.pb.h"

// Resources as text for a person. Pure.
namespace bitwright::client {

std::string JobText(const v1::Job& job, absl::Time now);
std::string JobTable(std::span<const v1::Job> jobs, absl::Time now);
// What a planned job needs and could reach. `goals`: what each goes by; empty: without a budget. The bounds are rounded
// inwards: each is accepted as it stands there.
std::string EstimateText(const v1::Job& planned, std::span<const std::string> goals);
std::string ModelText(const v1::Model& model);
std::string ModelTable(std::span<const v1::Model> models);
std::string RecipeTable(std::span<const v1::Recipe> recipes);
std::string WorkerTable(std::span<const v1::Worker> workers);

}  // namespace bitwright::client
