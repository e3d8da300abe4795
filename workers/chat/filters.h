#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "workers/chat/value.h"

namespace bitwright::worker {

// value | name(arguments), as Jinja's built-in filters; tojson as transformers has it (json.dumps, characters outside
// of ASCII as they are). CHAT_TEMPLATE_UNSUPPORTED (without the line, which the caller knows) for other names.
absl::StatusOr<Value> ApplyFilter(Interpreter& interpreter, const std::string& name, const Value& value,
                                  const CallArguments& arguments);

// json.dumps(value, ensure_ascii=False, indent=…, sort_keys=…). `indent` below 0: on one line.
absl::StatusOr<std::string> ToJson(const Value& value, int64_t indent, bool sort_keys);

}  // namespace bitwright::worker
