#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "workers/chat/value.h"

namespace bitwright::worker {

// value is name(arguments), as Jinja's built-in tests. CHAT_TEMPLATE_UNSUPPORTED (without the line, which the caller
// knows) for other names.
absl::StatusOr<bool> ApplyTest(const std::string& name, const Value& value, const CallArguments& arguments);
bool IsTest(const std::string& name);

}  // namespace bitwright::worker
