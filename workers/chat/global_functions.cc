#include "workers/chat/global_functions.h"

#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"
#include "workers/chat/operators.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<Value> Range(Interpreter&, const CallArguments& arguments) {
  std::vector<int64_t> bounds;
  for (const Value& value : arguments.positional) {
    if (!value.is_int() && !value.is_bool()) return ValueError("range needs whole numbers, not " + value.TypeName());
    bounds.push_back(value.integer());
  }
  if (bounds.empty() || bounds.size() > 3) return ValueError("range needs one to three numbers");
  const int64_t begin = bounds.size() == 1 ? 0 : bounds[0];
  const int64_t end = bounds.size() == 1 ? bounds[0] : bounds[1];
  const int64_t step = bounds.size() == 3 ? bounds[2] : 1;
  if (step == 0) return ValueError("range with step 0");
  std::vector<Value> items;
  for (int64_t i = begin; step > 0 ? i < end : i > end;) {
    if (static_cast<int64_t>(items.size()) >= kMostItems) return ChatTemplateLimitError("items of a list", kMostItems);
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return Value::MakeList(std::move(items));
}

template <bool kNamespace>
absl::StatusOr<Value> MakeNamed(Interpreter&, const CallArguments& arguments) {
  Value::Dict dict;
  if (!arguments.positional.empty()) {
    if (!arguments.positional[0].is_dict()) return ValueError("a dict is expected");
    dict.items = arguments.positional[0].dict().items;
  }
  for (const auto& [name, value] : arguments.named) dict.Set(name, value);
  dict.is_namespace = kNamespace;
  return Value::MakeDict(std::move(dict));
}

absl::StatusOr<Value> Refuse(Interpreter&, const CallArguments& arguments) {
  const Value* message = arguments.Find("message", 0);
  return ValueError("it refuses the conversation: " + (message == nullptr ? std::string() : ToText(*message)));
}

}  // namespace

std::map<std::string, Value> GlobalFunctions() {
  return {
      {"range", Value::MakeFunction(Range)},
      {"namespace", Value::MakeFunction(MakeNamed<true>)},
      {"dict", Value::MakeFunction(MakeNamed<false>)},
      {"raise_exception", Value::MakeFunction(Refuse)},
  };
}

}  // namespace bitwright::worker
