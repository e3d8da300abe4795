#include "workers/chat/filters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"
#include "workers/chat/operators.h"
#include "workers/chat/strings.h"
#include "workers/chat/tests_of_values.h"

namespace bitwright::worker {
namespace {

using Arguments = const CallArguments&;
using Filter = absl::StatusOr<Value> (*)(Interpreter& interpreter, const Value& value, Arguments arguments);

bool Flag(Arguments arguments, std::string_view name, size_t place, bool absent) {
  const Value* value = arguments.Find(name, place);
  return value == nullptr ? absent : value->Truth();
}

int64_t Whole(Arguments arguments, std::string_view name, size_t place, int64_t absent) {
  const Value* value = arguments.Find(name, place);
  return value != nullptr && (value->is_int() || value->is_bool()) ? value->integer() : absent;
}

// "a.b.0" of an item, as map(attribute=…) and its like take it.
absl::StatusOr<Value> AtPath(Value value, const std::string& path) {
  const std::string dot = ".";
  for (const std::string& part : Split(path, &dot, -1, false)) {
    int64_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool number = error == std::errc() && end == part.data() + part.size() && !part.empty();
    ABSL_ASSIGN_OR_RETURN(value, Item(value, number ? Value(index) : Value(part)));
  }
  return value;
}

Value Lowered(const Value& value) { return value.is_string() ? Value(LowerCase(value.string())) : value; }

// What sort, unique, min and max compare: the item or its attribute, letters without case unless asked for.
absl::StatusOr<Value> SortKey(const Value& item, Arguments arguments, size_t case_place) {
  const Value* attribute = arguments.Find("attribute", case_place + 1);
  Value key = item;
  if (attribute != nullptr && attribute->is_string()) {
    ABSL_ASSIGN_OR_RETURN(key, AtPath(item, attribute->string()));
  }
  return Flag(arguments, "case_sensitive", case_place, false) ? key : Lowered(key);
}

// A stable sort by keys that may not be comparable.
absl::Status SortBy(const std::vector<Value>& keys, bool reverse, std::vector<Value>& items) {
  std::vector<size_t> order(items.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  absl::Status failed;
  const auto less = [&](size_t a, size_t b) {
    const auto before = reverse ? Less(keys[b], keys[a]) : Less(keys[a], keys[b]);
    if (!before.ok()) failed.Update(before.status());
    return before.ok() && *before;
  };
  std::stable_sort(order.begin(), order.end(), less);
  ABSL_RETURN_IF_ERROR(failed);
  std::vector<Value> sorted;
  sorted.reserve(items.size());
  for (const size_t i : order) sorted.push_back(items[i]);
  items = std::move(sorted);
  return absl::OkStatus();
}

absl::StatusOr<Value> Sorted(Interpreter&, const Value& value, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(std::vector<Value> items, Items(value));
  std::vector<Value> keys;
  for (const Value& item : items) {
    ABSL_ASSIGN_OR_RETURN(Value key, SortKey(item, arguments, 1));
    keys.push_back(std::move(key));
  }
  ABSL_RETURN_IF_ERROR(SortBy(keys, Flag(arguments, "reverse", 0, false), items));
  return Value::MakeList(std::move(items));
}

absl::StatusOr<Value> DictSorted(Interpreter&, const Value& value, Arguments arguments) {
  if (!value.is_dict()) return ValueError("dictsort needs a dict, not " + value.TypeName());
  const Value* by = arguments.Find("by", 1);
  const bool by_value = by != nullptr && by->is_string() && by->string() == "value";
  const bool case_sensitive = Flag(arguments, "case_sensitive", 0, false);
  std::vector<Value> items, keys;
  for (const auto& [key, item] : value.dict().items) {
    items.push_back(Value::MakeList({Value(key), item}, true));
    const Value compared = by_value ? item : Value(key);
    keys.push_back(case_sensitive ? compared : Lowered(compared));
  }
  ABSL_RETURN_IF_ERROR(SortBy(keys, Flag(arguments, "reverse", 2, false), items));
  return Value::MakeList(std::move(items));
}

absl::StatusOr<Value> Unique(Interpreter&, const Value& value, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value));
  std::vector<Value> kept, keys;
  for (const Value& item : items) {
    ABSL_ASSIGN_OR_RETURN(Value key, SortKey(item, arguments, 0));
    if (std::any_of(keys.begin(), keys.end(), [&](const Value& seen) { return Equal(seen, key); })) continue;
    keys.push_back(std::move(key));
    kept.push_back(item);
  }
  return Value::MakeList(std::move(kept));
}

template <bool kLargest>
absl::StatusOr<Value> Extreme(Interpreter&, const Value& value, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value));
  if (items.empty()) return Value::MakeUndefined("the first of an empty sequence");
  size_t best = 0;
  ABSL_ASSIGN_OR_RETURN(Value best_key, SortKey(items[0], arguments, 0));
  for (size_t i = 1; i < items.size(); ++i) {
    ABSL_ASSIGN_OR_RETURN(Value key, SortKey(items[i], arguments, 0));
    ABSL_ASSIGN_OR_RETURN(const bool better, kLargest ? Less(best_key, key) : Less(key, best_key));
    if (!better) continue;
    best = i;
    best_key = std::move(key);
  }
  return items[best];
}

absl::StatusOr<Value> Trimmed(Interpreter&, const Value& value, Arguments arguments) {
  const Value* chars = arguments.Find("chars", 0);
  const std::string* set = chars != nullptr && chars->is_string() ? &chars->string() : nullptr;
  return Value(std::string(Strip(ToText(value), set)));
}

absl::StatusOr<Value> Json(Interpreter&, const Value& value, Arguments arguments) {
  const bool escapes = Flag(arguments, "ensure_ascii", 0, false);
  if (escapes || arguments.Find("separators", 2) != nullptr) {
    return ValueError("tojson with ensure_ascii or separators is not supported");
  }
  ABSL_ASSIGN_OR_RETURN(std::string text,
                        ToJson(value, Whole(arguments, "indent", 1, -1), Flag(arguments, "sort_keys", 3, false)));
  return Value(std::move(text));
}

absl::StatusOr<Value> JoinFilter(Interpreter&, const Value& value, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value));
  const Value* between = arguments.Find("d", 0);
  const Value* attribute = arguments.Find("attribute", 1);
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) {
    Value item = items[i];
    if (attribute != nullptr && attribute->is_string()) {
      ABSL_ASSIGN_OR_RETURN(item, AtPath(item, attribute->string()));
    }
    if (i > 0 && between != nullptr) text += ToText(*between);
    text += ToText(item);
    ABSL_RETURN_IF_ERROR(CheckTextBytes(static_cast<int64_t>(text.size())));
  }
  return Value(std::move(text));
}

absl::StatusOr<Value> Default(Interpreter&, const Value& value, Arguments arguments) {
  const bool replaced = value.is_undefined() || (Flag(arguments, "boolean", 1, false) && !value.Truth());
  if (!replaced) return value;
  const Value* otherwise = arguments.Find("default_value", 0);
  return otherwise == nullptr ? Value("") : *otherwise;
}

absl::StatusOr<Value> First(Interpreter&, const Value& value, Arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value));
  return items.empty() ? Value::MakeUndefined("the first of an empty sequence") : items.front();
}

absl::StatusOr<Value> Last(Interpreter&, const Value& value, Arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value));
  return items.empty() ? Value::MakeUndefined("the last of an empty sequence") : items.back();
}

absl::StatusOr<Value> Listed(Interpreter&, const Value& value, Arguments) {
  ABSL_ASSIGN_OR_RETURN(std::vector<Value> items, Items(value));
  return Value::MakeList(std::move(items));
}

absl::StatusOr<Value> Reversed(Interpreter&, const Value& value, Arguments) {
  ABSL_ASSIGN_OR_RETURN(std::vector<Value> items, Items(value));
  std::reverse(items.begin(), items.end());
  if (!value.is_string()) return Value::MakeList(std::move(items));
  std::string text;
  for (const Value& c : items) text += c.string();
  return Value(std::move(text));
}

absl::StatusOr<Value> Length(Interpreter&, const Value& value, Arguments) {
  ABSL_ASSIGN_OR_RETURN(const int64_t length, LengthOf(value));
  return Value(length);
}

absl::StatusOr<Value> Pairs(Interpreter&, const Value& value, Arguments) {
  if (value.is_undefined()) return Value::MakeList({});
  if (!value.is_dict()) return ValueError("items needs a dict, not " + value.TypeName());
  return PairsOf(value.dict());
}

// map: by attribute, or by the name of a filter and its arguments.
absl::StatusOr<Value> Mapped(Interpreter& interpreter, const Value& value, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(std::vector<Value> items, Items(value));
  const Value* attribute = arguments.Find("attribute", arguments.positional.size());
  const Value* otherwise = arguments.Find("default", arguments.positional.size());
  CallArguments rest = arguments;
  std::string filter;
  if (attribute == nullptr) {
    if (rest.positional.empty() || !rest.positional[0].is_string())
      return ValueError("map needs a filter or an attribute");
    filter = rest.positional[0].string();
    rest.positional.erase(rest.positional.begin());
  }
  for (Value& item : items) {
    if (attribute == nullptr) {
      ABSL_ASSIGN_OR_RETURN(item, ApplyFilter(interpreter, filter, item, rest));
    } else {
      ABSL_ASSIGN_OR_RETURN(item, attribute->is_string() ? AtPath(item, attribute->string()) : Item(item, *attribute));
      if (item.is_undefined() && otherwise != nullptr) item = *otherwise;
    }
  }
  return Value::MakeList(std::move(items));
}

// select, reject (of the item) and selectattr, rejectattr (of an attribute of it), by a test or by truth.
template <bool kWanted, bool kAttribute>
absl::StatusOr<Value> Chosen(Interpreter&, const Value& value, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value));
  CallArguments rest = arguments;
  const auto take = [&]() -> absl::StatusOr<std::string> {
    if (rest.positional.empty() || !rest.positional[0].is_string())
      return ValueError("the name of an attribute or a test is missing");
    std::string text = rest.positional[0].string();
    rest.positional.erase(rest.positional.begin());
    return text;
  };
  std::string path, test;
  if (kAttribute) {
    ABSL_ASSIGN_OR_RETURN(path, take());
  }
  if (!rest.positional.empty()) {
    ABSL_ASSIGN_OR_RETURN(test, take());
  }
  std::vector<Value> kept;
  for (const Value& item : items) {
    Value tested = item;
    if (kAttribute) {
      ABSL_ASSIGN_OR_RETURN(tested, AtPath(item, path));
    }
    bool holds = tested.Truth();
    if (!test.empty()) {
      ABSL_ASSIGN_OR_RETURN(holds, ApplyTest(test, tested, rest));
    }
    if (holds == kWanted) kept.push_back(item);
  }
  return Value::MakeList(std::move(kept));
}

absl::StatusOr<Value> ReplacedIn(Interpreter&, const Value& value, Arguments arguments) {
  const Value* old = arguments.Find("old", 0);
  const Value* by = arguments.Find("new", 1);
  if (old == nullptr || by == nullptr) return ValueError("replace needs two strings");
  return Replaced(ToText(value), ToText(*old), ToText(*by), Whole(arguments, "count", 2, -1));
}

absl::StatusOr<Value> Indented(Interpreter&, const Value& value, Arguments arguments) {
  const Value* width = arguments.Find("width", 0);
  const std::string by =
      width != nullptr && width->is_string()
          ? width->string()
          : std::string(static_cast<size_t>(std::clamp<int64_t>(Whole(arguments, "width", 0, 4), 0, 1000)), ' ');
  const bool first = Flag(arguments, "first", 1, false), blank = Flag(arguments, "blank", 2, false);
  // As Jinja: the text gets a line break more, so that its last line is one too.
  const std::string newline = "\n";
  const std::vector<std::string> lines = SplitLines(ToText(value) + newline, false);
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) text += newline;
    if ((i > 0 || first) && (blank || !lines[i].empty() || (i == 0 && first))) text += by;
    text += lines[i];
    ABSL_RETURN_IF_ERROR(CheckTextBytes(static_cast<int64_t>(text.size())));
  }
  return Value(std::move(text));
}

template <std::string (*kChange)(std::string_view)>
absl::StatusOr<Value> Changed(Interpreter&, const Value& value, Arguments) {
  return Value(kChange(ToText(value)));
}

absl::StatusOr<Value> Titled(Interpreter&, const Value& value, Arguments) {
  return Value(TitleCase(ToText(value), /*as_filter=*/true));
}

absl::StatusOr<Value> AsText(Interpreter&, const Value& value, Arguments) { return Value(ToText(value)); }

absl::StatusOr<Value> AsWhole(Interpreter&, const Value& value, Arguments arguments) {
  const Value* given = arguments.Find("default", 0);
  const Value absent = given == nullptr ? Value(int64_t{0}) : *given;
  if (value.is_int() || value.is_bool()) return Value(value.integer());
  double number = 0;
  if (value.is_string()) {
    const std::string text(Strip(value.string()));
    int64_t whole = 0;
    const char* end = text.data() + text.size();
    if (const auto parsed = std::from_chars(text.data(), end, whole); parsed.ec == std::errc() && parsed.ptr == end) {
      return Value(whole);
    }
    if (const auto parsed = std::from_chars(text.data(), end, number); parsed.ec != std::errc() || parsed.ptr != end) {
      return absent;
    }
  } else if (value.is_float()) {
    number = value.number();
  } else {
    return absent;
  }
  constexpr double kMost = 9e18;
  return std::isfinite(number) && std::abs(number) < kMost ? Value(static_cast<int64_t>(number)) : absent;
}

absl::StatusOr<Value> AsFloat(Interpreter&, const Value& value, Arguments arguments) {
  const Value* given = arguments.Find("default", 0);
  if (value.is_number()) return Value(value.number());
  if (value.is_string()) {
    const std::string text(Strip(value.string()));
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return Value(number);
  }
  return given == nullptr ? Value(0.0) : *given;
}

absl::StatusOr<Value> Absolute(Interpreter&, const Value& value, Arguments) {
  if (value.is_float()) return Value(std::abs(value.number()));
  if (value.is_number()) return value.integer() < 0 ? Negated(value) : absl::StatusOr<Value>(Value(value.integer()));
  return ValueError("abs needs a number, not " + value.TypeName());
}

absl::StatusOr<Value> Rounded(Interpreter&, const Value& value, Arguments arguments) {
  if (!value.is_number()) return ValueError("round needs a number, not " + value.TypeName());
  const Value* method = arguments.Find("method", 1);
  const std::string how = method == nullptr ? "common" : ToText(*method);
  const double scale = std::pow(10.0, static_cast<double>(Whole(arguments, "precision", 0, 0)));
  const double scaled = value.number() * scale;
  if (how == "ceil") return Value(std::ceil(scaled) / scale);
  if (how == "floor") return Value(std::floor(scaled) / scale);
  return Value(std::nearbyint(scaled) / scale);
}

absl::StatusOr<Value> Summed(Interpreter&, const Value& value, Arguments arguments) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value));
  const Value* attribute = arguments.Find("attribute", 0);
  const Value* start = arguments.Find("start", 1);
  Value sum = start == nullptr ? Value(int64_t{0}) : *start;
  for (Value item : items) {
    if (attribute != nullptr && attribute->is_string()) {
      ABSL_ASSIGN_OR_RETURN(item, AtPath(item, attribute->string()));
    }
    ABSL_ASSIGN_OR_RETURN(sum, Binary("+", sum, item));
  }
  return sum;
}

const std::map<std::string, Filter, std::less<>>& Filters() {
  static const std::map<std::string, Filter, std::less<>> filters{
      {"abs", Absolute},
      {"capitalize", Changed<CapitalizedText>},
      {"count", Length},
      {"d", Default},
      {"default", Default},
      {"dictsort", DictSorted},
      {"first", First},
      {"float", AsFloat},
      {"indent", Indented},
      {"int", AsWhole},
      {"items", Pairs},
      {"join", JoinFilter},
      {"last", Last},
      {"length", Length},
      {"list", Listed},
      {"lower", Changed<LowerCase>},
      {"map", Mapped},
      {"max", Extreme<true>},
      {"min", Extreme<false>},
      {"reject", Chosen<false, false>},
      {"rejectattr", Chosen<false, true>},
      {"replace", ReplacedIn},
      {"reverse", Reversed},
      {"round", Rounded},
      {"safe", AsText},
      {"select", Chosen<true, false>},
      {"selectattr", Chosen<true, true>},
      {"sort", Sorted},
      {"string", AsText},
      {"sum", Summed},
      {"title", Titled},
      {"tojson", Json},
      {"trim", Trimmed},
      {"unique", Unique},
      {"upper", Changed<UpperCase>},
  };
  return filters;
}

std::string LineStart(int64_t indent, int level) {
  return indent < 0 ? "" : "\n" + std::string(static_cast<size_t>(std::min<int64_t>(indent, 100) * level), ' ');
}

class JsonWriter {
 public:
  JsonWriter(int64_t indent, bool sort_keys) : indent_(indent), sort_keys_(sort_keys) {}

  absl::Status Write(const Value& value, int level) {
    ABSL_RETURN_IF_ERROR(CheckTextBytes(static_cast<int64_t>(text_.size())));
    if (value.is_string()) {
      text_ += QuotedAsJson(value.string());
    } else if (value.is_none()) {
      text_ += "null";
    } else if (value.is_bool()) {
      text_ += value.boolean() ? "true" : "false";
    } else if (value.is_float()) {
      text_ += std::isnan(value.number())   ? "NaN"
               : std::isinf(value.number()) ? (value.number() > 0 ? "Infinity" : "-Infinity")
                                            : FloatText(value.number());
    } else if (value.is_int()) {
      text_ += std::to_string(value.integer());
    } else if (value.is_list()) {
      return WriteList(value.list(), level);
    } else if (value.is_dict()) {
      return WriteDict(value.dict(), level);
    } else {
      return ValueError(value.TypeName() + " cannot be written as JSON");
    }
    return absl::OkStatus();
  }

  std::string Take() { return std::move(text_); }

 private:
  void Between(bool first, int level) {
    if (!first) text_ += indent_ < 0 ? ", " : ",";
    text_ += LineStart(indent_, level);
  }

  absl::Status WriteList(const Value::List& list, int level) {
    text_ += '[';
    for (size_t i = 0; i < list.items.size(); ++i) {
      Between(i == 0, level + 1);
      ABSL_RETURN_IF_ERROR(Write(list.items[i], level + 1));
    }
    if (!list.items.empty()) text_ += LineStart(indent_, level);
    text_ += ']';
    return absl::OkStatus();
  }

  absl::Status WriteDict(const Value::Dict& dict, int level) {
    auto items = dict.items;
    if (sort_keys_) {
      std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    }
    text_ += '{';
    for (size_t i = 0; i < items.size(); ++i) {
      Between(i == 0, level + 1);
      text_ += QuotedAsJson(items[i].first) + ": ";
      ABSL_RETURN_IF_ERROR(Write(items[i].second, level + 1));
    }
    if (!items.empty()) text_ += LineStart(indent_, level);
    text_ += '}';
    return absl::OkStatus();
  }

  int64_t indent_;
  bool sort_keys_;
  std::string text_;
};

}  // namespace

absl::StatusOr<Value> ApplyFilter(Interpreter& interpreter, const std::string& name, const Value& value,
                                  const CallArguments& arguments) {
  const auto found = Filters().find(name);
  if (found == Filters().end()) return UnsupportedError("the filter '" + name + "'");
  return found->second(interpreter, value, arguments);
}

absl::StatusOr<std::string> ToJson(const Value& value, int64_t indent, bool sort_keys) {
  JsonWriter writer(indent, sort_keys);
  ABSL_RETURN_IF_ERROR(writer.Write(value, 0));
  return writer.Take();
}

}  // namespace bitwright::worker
