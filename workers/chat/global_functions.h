#pragma once

#include <map>
#include <string>

#include "workers/chat/value.h"

namespace bitwright::worker {

// range, namespace, dict and raise_exception: what a template can call without being given it. strftime_now is not
// among them: a result must not depend on the day, and templates have a date of their own for where it is missing.
std::map<std::string, Value> GlobalFunctions();

}  // namespace bitwright::worker
