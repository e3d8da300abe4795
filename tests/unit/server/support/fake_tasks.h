#pragma once

#include <map>
#include <string>

#include "bitwright/v1/tasks.pb.h"
#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {

// The outputs of a task by name, as a worker would make them but without any computation: messages that the server
// reads are valid and small (a model with a file "model.gguf" is in another form), everything else is a text that
// depends on the spec. `shape` is that of the model, `windows` the length of every text. A pure function, like a real
// task.
std::map<std::string, std::string> FakeOutputs(const v1::TaskSpec& spec, const Shape& shape = {}, int windows = 20);

}  // namespace bitwright::server
