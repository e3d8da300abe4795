#include "workers/chat/methods.h"

#include <algorithm>
#include <map>

#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"
#include "workers/chat/operators.h"
#include "workers/chat/strings.h"

namespace bitwright::worker {
namespace {

using Arguments = const CallArguments&;
using TextMethod = absl::StatusOr<Value> (*)(const std::string& text, Arguments arguments);

// An argument that must be a string; null when it is absent or None.
absl::StatusOr<const std::string*> Text(Arguments arguments, std::string_view name, size_t place) {
  const Value* value = arguments.Find(name, place);
  if (value == nullptr || value->is_none()) return nullptr;
  if (!value->is_string()) return ValueError("a string is expected, not " + value->TypeName());
  return &value->string();
}

absl::StatusOr<const std::string*> Needed(Arguments arguments, size_t place) {
  ABSL_ASSIGN_OR_RETURN(const std::string* text, Text(arguments, "", place));
  if (text == nullptr) return ValueError("an argument is missing");
  return text;
}

absl::StatusOr<int64_t> Whole(Arguments arguments, std::string_view name, size_t place, int64_t absent) {
  const Value* value = arguments.Find(name, place);
  if (value == nullptr) return absent;
  if (!value->is_int() && !value->is_bool()) return ValueError("a whole number is expected, not " + value->TypeName());
  return value->integer();
}

Value Strings(const std::vector<std::string>& texts) {
  std::vector<Value> items;
  items.reserve(texts.size());
  for (const std::string& text : texts) items.emplace_back(text);
  return Value::MakeList(std::move(items));
}

template <std::string_view (*kStrip)(std::string_view, const std::string*)>
absl::StatusOr<Value> Stripped(const std::string& text, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::string* chars, Text(arguments, "chars", 0));
  return Value(std::string(kStrip(text, chars)));
}

template <bool kFromRight>
absl::StatusOr<Value> Splits(const std::string& text, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::string* separator, Text(arguments, "sep", 0));
  ABSL_ASSIGN_OR_RETURN(const int64_t most, Whole(arguments, "maxsplit", 1, -1));
  if (separator != nullptr && separator->empty()) return ValueError("an empty separator");
  return Strings(Split(text, separator, most, kFromRight));
}

// str.startswith and endswith: of one string, or of any of a tuple.
template <bool kStart>
absl::StatusOr<Value> Has(const std::string& text, Arguments arguments) {
  const Value* wanted = arguments.Find("", 0);
  if (wanted == nullptr) return ValueError("an argument is missing");
  const std::vector<Value> all = wanted->is_list() ? wanted->list().items : std::vector<Value>{*wanted};
  for (const Value& one : all) {
    if (!one.is_string()) return ValueError("a string is expected, not " + one.TypeName());
    if (kStart ? text.starts_with(one.string()) : text.ends_with(one.string())) return Value(true);
  }
  return Value(false);
}

absl::StatusOr<Value> ReplacedIn(const std::string& text, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::string* old, Needed(arguments, 0));
  ABSL_ASSIGN_OR_RETURN(const std::string* by, Needed(arguments, 1));
  ABSL_ASSIGN_OR_RETURN(const int64_t most, Whole(arguments, "count", 2, -1));
  return Replaced(text, *old, *by, most);
}

template <bool kFromRight>
absl::StatusOr<Value> Found(const std::string& text, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::string* wanted, Needed(arguments, 0));
  const size_t at = kFromRight ? text.rfind(*wanted) : text.find(*wanted);
  return Value(at == std::string::npos ? int64_t{-1} : CharacterCount(std::string_view(text).substr(0, at)));
}

absl::StatusOr<Value> IndexIn(const std::string& text, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const Value at, Found<false>(text, arguments));
  if (at.integer() < 0) return ValueError("substring not found");
  return at;
}

absl::StatusOr<Value> Counted(const std::string& text, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::string* wanted, Needed(arguments, 0));
  if (wanted->empty()) return Value(CharacterCount(text) + 1);
  int64_t count = 0;
  for (size_t at = text.find(*wanted); at != std::string::npos; at = text.find(*wanted, at + wanted->size())) ++count;
  return Value(count);
}

absl::StatusOr<Value> JoinedBy(const std::string& text, Arguments arguments) {
  const Value* list = arguments.Find("", 0);
  if (list == nullptr) return ValueError("an argument is missing");
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(*list));
  std::string joined;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_string()) return ValueError("a string is expected, not " + items[i].TypeName());
    joined += (i == 0 ? "" : text) + items[i].string();
    ABSL_RETURN_IF_ERROR(CheckTextBytes(static_cast<int64_t>(joined.size())));
  }
  return Value(std::move(joined));
}

template <bool kPrefix>
absl::StatusOr<Value> Without(const std::string& text, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::string* part, Needed(arguments, 0));
  if (!(kPrefix ? text.starts_with(*part) : text.ends_with(*part))) return Value(text);
  return Value(kPrefix ? text.substr(part->size()) : text.substr(0, text.size() - part->size()));
}

template <std::string (*kChange)(std::string_view)>
absl::StatusOr<Value> Changed(const std::string& text, Arguments) {
  return Value(kChange(text));
}

bool AllAscii(const std::string& text, bool (*is)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is);
}

absl::StatusOr<Value> IsDigits(const std::string& text, Arguments) {
  return Value(AllAscii(text, [](char c) { return c >= '0' && c <= '9'; }));
}

absl::StatusOr<Value> IsSpaces(const std::string& text, Arguments) {
  return Value(!text.empty() && Strip(text).empty());
}

absl::StatusOr<Value> Lines(const std::string& text, Arguments arguments) {
  const Value* keep = arguments.Find("keepends", 0);
  return Strings(SplitLines(text, keep != nullptr && keep->Truth()));
}

const std::map<std::string, TextMethod, std::less<>>& TextMethods() {
  static const std::map<std::string, TextMethod, std::less<>> methods{
      {"strip", Stripped<Strip>},
      {"lstrip", Stripped<StripLeft>},
      {"rstrip", Stripped<StripRight>},
      {"split", Splits<false>},
      {"rsplit", Splits<true>},
      {"splitlines", Lines},
      {"startswith", Has<true>},
      {"endswith", Has<false>},
      {"replace", ReplacedIn},
      {"find", Found<false>},
      {"rfind", Found<true>},
      {"index", IndexIn},
      {"count", Counted},
      {"join", JoinedBy},
      {"removeprefix", Without<true>},
      {"removesuffix", Without<false>},
      {"upper", Changed<UpperCase>},
      {"lower", Changed<LowerCase>},
      {"capitalize", Changed<CapitalizedText>},
      {"title", [](const std::string& text, Arguments) -> absl::StatusOr<Value> { return TitleCase(text, false); }},
      {"isdigit", IsDigits},
      {"isspace", IsSpaces},
  };
  return methods;
}

std::optional<Value> DictMethod(const Value& value, const std::string& name) {
  if (name == "get") {
    return Value::MakeFunction([value](Interpreter&, Arguments arguments) -> absl::StatusOr<Value> {
      const Value* key = arguments.Find("", 0);
      const Value* found = key != nullptr && key->is_string() ? value.dict().Find(key->string()) : nullptr;
      const Value* otherwise = arguments.Find("default", 1);
      return found != nullptr ? *found : otherwise != nullptr ? *otherwise : Value();
    });
  }
  if (name == "items") {
    return Value::MakeFunction(
        [value](Interpreter&, Arguments) -> absl::StatusOr<Value> { return PairsOf(value.dict()); });
  }
  if (name != "keys" && name != "values") return std::nullopt;
  return Value::MakeFunction([value, keys = name == "keys"](Interpreter&, Arguments) -> absl::StatusOr<Value> {
    std::vector<Value> items;
    for (const auto& [key, item] : value.dict().items) items.push_back(keys ? Value(key) : item);
    return Value::MakeList(std::move(items));
  });
}

std::optional<Value> ListMethod(const Value& value, const std::string& name) {
  if (name != "index" && name != "count") return std::nullopt;
  return Value::MakeFunction([value, name](Interpreter&, Arguments arguments) -> absl::StatusOr<Value> {
    const Value* wanted = arguments.Find("", 0);
    if (wanted == nullptr) return ValueError("an argument is missing");
    const auto& items = value.list().items;
    const auto same = [&](const Value& item) { return Equal(item, *wanted); };
    if (name == "count") return Value(int64_t{std::count_if(items.begin(), items.end(), same)});
    const auto at = std::find_if(items.begin(), items.end(), same);
    if (at == items.end()) return ValueError("the item is not in the list");
    return Value(int64_t{at - items.begin()});
  });
}

}  // namespace

std::optional<Value> Method(const Value& value, const std::string& name) {
  if (value.is_dict()) return value.dict().is_namespace ? std::nullopt : DictMethod(value, name);
  if (value.is_list()) return ListMethod(value, name);
  if (!value.is_string()) return std::nullopt;
  const auto found = TextMethods().find(name);
  if (found == TextMethods().end()) return std::nullopt;
  return Value::MakeFunction([text = value.string(), method = found->second](Interpreter&, Arguments arguments) {
    return method(text, arguments);
  });
}

}  // namespace bitwright::worker
