#pragma once

#include <vector>

#include "bitwright/v1/tasks.pb.h"

namespace bitwright::worker {

// One spec of each kind that a worker accepts, in the order of tasks.proto; inputs have names alone.
std::vector<v1::TaskSpec> GoodSpecs();

// The one of a kind, which must be there.
v1::TaskSpec GoodSpec(v1::TaskSpec::ParamsCase kind);

}  // namespace bitwright::worker
