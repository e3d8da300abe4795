#include "workers/chat/tests_of_values.h"

#include <map>

#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"
#include "workers/chat/operators.h"
#include "workers/chat/strings.h"

namespace bitwright::worker {
namespace {

using Test = absl::StatusOr<bool> (*)(const Value& value, const Value* other);

template <bool (Value::*kIs)() const>
absl::StatusOr<bool> Is(const Value& value, const Value*) {
  return (value.*kIs)();
}

template <char kFirst, char kSecond = '\0'>
absl::StatusOr<bool> Compared(const Value& value, const Value* other) {
  if (other == nullptr) return ValueError("a test lacks what to compare with");
  const char operation[] = {kFirst, kSecond, '\0'};
  return Compare(operation, value, *other);
}

absl::StatusOr<bool> Within(const Value& value, const Value* other) {
  if (other == nullptr) return ValueError("a test lacks what to compare with");
  return Compare("in", value, *other);
}

absl::StatusOr<bool> Divides(const Value& value, const Value* other) {
  if (other == nullptr || !value.is_int() || !other->is_int() || other->integer() == 0) {
    return ValueError("divisibleby needs two whole numbers, the second not 0");
  }
  return other->integer() == -1 || value.integer() % other->integer() == 0;
}

template <int64_t kRest>
absl::StatusOr<bool> Parity(const Value& value, const Value*) {
  if (!value.is_int() && !value.is_bool())
    return ValueError("odd and even need a whole number, not " + value.TypeName());
  return (value.integer() % 2 != 0) == (kRest != 0);
}

absl::StatusOr<bool> GoneThrough(const Value& value, const Value*) {
  return value.is_list() || value.is_string() || value.is_undefined() ||
         (value.is_dict() && !value.dict().is_namespace);
}

const std::map<std::string, Test, std::less<>>& Tests() {
  static const std::map<std::string, Test, std::less<>> tests{
      {"boolean", Is<&Value::is_bool>},
      {"callable", Is<&Value::is_function>},
      {"defined", [](const Value& value, const Value*) -> absl::StatusOr<bool> { return !value.is_undefined(); }},
      {"divisibleby", Divides},
      {"eq", Compared<'=', '='>},
      {"equalto", Compared<'=', '='>},
      {"even", Parity<0>},
      {"false",
       [](const Value& value, const Value*) -> absl::StatusOr<bool> { return value.is_bool() && !value.boolean(); }},
      {"float", Is<&Value::is_float>},
      {"ge", Compared<'>', '='>},
      {"greaterthan", Compared<'>'>},
      {"gt", Compared<'>'>},
      {"in", Within},
      {"integer", Is<&Value::is_int>},
      {"iterable", GoneThrough},
      {"le", Compared<'<', '='>},
      {"lessthan", Compared<'<'>},
      {"lower",
       [](const Value& value, const Value*) -> absl::StatusOr<bool> {
         const std::string text = ToText(value);
         return LowerCase(text) == text && UpperCase(text) != text;
       }},
      {"lt", Compared<'<'>},
      {"mapping", Is<&Value::is_dict>},
      {"ne", Compared<'!', '='>},
      {"none", Is<&Value::is_none>},
      {"number", Is<&Value::is_number>},
      {"odd", Parity<1>},
      {"sequence",
       [](const Value& value, const Value*) -> absl::StatusOr<bool> {
         return value.is_list() || value.is_string() || value.is_dict() || value.is_undefined();
       }},
      {"string", Is<&Value::is_string>},
      {"true",
       [](const Value& value, const Value*) -> absl::StatusOr<bool> { return value.is_bool() && value.boolean(); }},
      {"undefined", Is<&Value::is_undefined>},
      {"upper",
       [](const Value& value, const Value*) -> absl::StatusOr<bool> {
         const std::string text = ToText(value);
         return UpperCase(text) == text && LowerCase(text) != text;
       }},
  };
  return tests;
}

}  // namespace

bool IsTest(const std::string& name) { return Tests().contains(name); }

absl::StatusOr<bool> ApplyTest(const std::string& name, const Value& value, const CallArguments& arguments) {
  const auto found = Tests().find(name);
  if (found == Tests().end()) return UnsupportedError("the test '" + name + "'");
  return found->second(value, arguments.Find("", 0));
}

}  // namespace bitwright::worker
