#pragma once

#include <string>
#include <vector>

#include "bitwright/v1/jobs.pb.h"
#include "server/scheduler/core.h"

// Tasks as clients see them (jobs.proto).
namespace bitwright::server {

// Of a row alone: of a finished job or model, or one that is not in memory. Pure.
v1::Task ViewRow(const TaskRow& row);

// Of a task in memory, with what is known of its running attempt.
v1::Task ViewTask(const Core& core, const LiveTask& task);

// Those of an owner in memory, by key: at most `limit` of which each is greater than `after`. Costs what it returns.
std::vector<v1::Task> ViewTasks(const Core& core, const Owner& owner, const std::string& after, int limit);

// As errors and lists name it: "LEASED".
std::string TaskStateName(TaskState state);

}  // namespace bitwright::server
