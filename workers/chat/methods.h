#pragma once

#include <optional>
#include <string>

#include "workers/chat/value.h"

namespace bitwright::worker {

// The method `name` of a string, list or dict, bound to it; nothing when a template may not call such a one (Jinja's
// immutable sandbox forbids those that change a value).
std::optional<Value> Method(const Value& value, const std::string& name);

}  // namespace bitwright::worker
