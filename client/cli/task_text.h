#pragma once

#include <span>
#include <string>
#include <vector>

#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/operator.pb.h"

// Tasks and what is kept of them as text for a person. Pure.
namespace bitwright::client {

// In the order of the job's walk, and within a kind by the numbers of the keys: "calibrate[2,0]" before "[10,0]".
void SortForPeople(const v1::Job& job, std::vector<v1::Task>& tasks);

std::string TaskTable(std::span<const v1::Task> tasks);
std::string CacheEntryText(const v1::CacheEntry& entry);

}  // namespace bitwright::client
