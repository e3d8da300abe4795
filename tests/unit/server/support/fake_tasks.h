#pragma once

#include <map>
#include <string>

#include "bitwright/v1/tasks.pb.h"

namespace bitwright::server {

// The outputs of a task by name, as a worker would make them but without any computation: messages that the server
// reads are valid and small, everything else is a text that depends on the spec. A pure function, like a real task.
std::map<std::string, std::string> FakeOutputs(const v1::TaskSpec& spec);

}  // namespace bitwright::server
