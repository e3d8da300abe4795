#pragma once

#include "server/jobs/job_graph.h"

namespace bitwright::server {

// The tasks of a model: "inspect"; of files in another form then "import", and "inspect[imported]" of what that made.
Expansion ExpandModel(const v1::Manifest& manifest, const ModelFacts& facts);

// The inspect task of a model. Key "inspect".
TaskNode InspectNode(const v1::Manifest& manifest);

}  // namespace bitwright::server
