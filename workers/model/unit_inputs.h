#pragma once

#include <vector>

#include "workers/families/program.h"

namespace bitwright::worker {

// For each unit of the program, in order, the value of which its input is a part. Of experts: of one expert's rows.
std::vector<Part> UnitInputs(const BlockProgram& program);

}  // namespace bitwright::worker
