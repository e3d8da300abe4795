#pragma once

#include <span>
#include <string>

#include "bitwright/v1/jobs.pb.h"

namespace bitwright {

// When the tasks of a job ran, a row for each kind in order of the walk, with what was taken from the cache; as HTML: a
// drawing and a table of stages. Empty of no tasks.
std::string TaskTimeline(std::span<const v1::Task> tasks);

}  // namespace bitwright
