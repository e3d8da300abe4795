#include "workers/chat/operators.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"
#include "workers/chat/methods.h"
#include "workers/chat/strings.h"

namespace bitwright::worker {
namespace {

absl::Status Unfit(std::string_view operation, const Value& a, const Value& b) {
  if (a.is_undefined() || b.is_undefined()) {
    return ValueError("'" + (a.is_undefined() ? a : b).undefined_name() + "' is undefined");
  }
  return ValueError("'" + std::string(operation) + "' does not work between " + a.TypeName() + " and " + b.TypeName());
}

absl::StatusOr<Value> Bounded(std::string text) {
  ABSL_RETURN_IF_ERROR(CheckTextBytes(static_cast<int64_t>(text.size())));
  return Value(std::move(text));
}

absl::StatusOr<Value> Repeated(const Value& sequence, int64_t times) {
  times = std::max<int64_t>(times, 0);
  if (sequence.is_string()) {
    const auto size = static_cast<int64_t>(sequence.string().size());
    if (size > 0)
      ABSL_RETURN_IF_ERROR(CheckTextBytes(times > kMostTextBytes / size ? kMostTextBytes + 1 : size * times));
    std::string text;
    for (int64_t i = 0; i < times && size > 0; ++i) text += sequence.string();
    return Value(std::move(text));
  }
  const auto& items = sequence.list().items;
  if (!items.empty() && times > kMostItems / static_cast<int64_t>(items.size())) {
    return ChatTemplateLimitError("items of a list", kMostItems);
  }
  std::vector<Value> all;
  for (int64_t i = 0; i < times && !items.empty(); ++i) all.insert(all.end(), items.begin(), items.end());
  return Value::MakeList(std::move(all), sequence.list().tuple);
}

absl::StatusOr<Value> Plus(const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) return Bounded(a.string() + b.string());
  if (!a.is_list() || !b.is_list() || a.list().tuple != b.list().tuple) return Unfit("+", a, b);
  std::vector<Value> items = a.list().items;
  items.insert(items.end(), b.list().items.begin(), b.list().items.end());
  if (static_cast<int64_t>(items.size()) > kMostItems) return ChatTemplateLimitError("items of a list", kMostItems);
  return Value::MakeList(std::move(items), a.list().tuple);
}

absl::Status TooLarge() { return ValueError("a whole number is too large"); }

absl::StatusOr<Value> WholePower(int64_t base, int64_t exponent) {
  int64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(result, base, &result)) return TooLarge();
    if (result == 0 || result == 1) break;
  }
  if (base == -1) result = exponent % 2 == 0 ? 1 : -1;
  return Value(result);
}

absl::StatusOr<Value> WholeArithmetic(std::string_view operation, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  if (operation == "+") overflow = __builtin_add_overflow(a, b, &result);
  if (operation == "-") overflow = __builtin_sub_overflow(a, b, &result);
  if (operation == "*") overflow = __builtin_mul_overflow(a, b, &result);
  if (operation == "//" || operation == "%") {
    if (b == 0) return ValueError("division by zero");
    if (b == -1) {  // the smallest number has no opposite
      if (operation == "%") return Value(int64_t{0});
      overflow = __builtin_sub_overflow(int64_t{0}, a, &result);
    } else {
      const int64_t remainder = a % b;
      const bool down = remainder != 0 && (remainder < 0) != (b < 0);
      result = operation == "//" ? a / b - (down ? 1 : 0) : remainder + (down ? b : 0);
    }
  }
  if (overflow) return TooLarge();
  return Value(result);
}

absl::StatusOr<Value> FloatArithmetic(std::string_view operation, double a, double b) {
  if (operation == "+") return Value(a + b);
  if (operation == "-") return Value(a - b);
  if (operation == "*") return Value(a * b);
  if (operation == "**") return Value(std::pow(a, b));
  if (b == 0) return ValueError("division by zero");
  if (operation == "/") return Value(a / b);
  if (operation == "//") return Value(std::floor(a / b));
  const double remainder = std::fmod(a, b);
  return Value(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder);
}

// Python's order of indices in a slice.
struct SliceBounds {
  int64_t begin;
  int64_t end;
  int64_t step;
};

absl::StatusOr<SliceBounds> Bounds(const Value& begin, const Value& end, const Value& step, int64_t size) {
  for (const Value* bound : {&begin, &end, &step}) {
    if (!bound->is_none() && !bound->is_int() && !bound->is_bool()) return ValueError("a slice needs whole numbers");
  }
  const int64_t by = step.is_none() ? 1 : step.integer();
  if (by == 0) return ValueError("a slice with step 0");
  const auto clip = [&](const Value& bound, int64_t absent) {
    if (bound.is_none()) return absent;
    const int64_t at = bound.integer();
    const int64_t from_start = at < 0 ? (at < -size ? -1 : at + size) : at;
    return by > 0 ? std::clamp<int64_t>(from_start, 0, size) : std::clamp<int64_t>(from_start, -1, size - 1);
  };
  return SliceBounds{clip(begin, by > 0 ? 0 : size - 1), clip(end, by > 0 ? size : -1), by};
}

}  // namespace

absl::Status CheckTextBytes(int64_t bytes) {
  return bytes > kMostTextBytes ? ChatTemplateLimitError("bytes of text", kMostTextBytes) : absl::OkStatus();
}

absl::StatusOr<Value> Replaced(const std::string& text, const std::string& old, const std::string& by, int64_t most) {
  const auto size = static_cast<int64_t>(text.size());
  const auto times = size / std::max<int64_t>(static_cast<int64_t>(old.size()), 1) + 1;
  ABSL_RETURN_IF_ERROR(CheckTextBytes(size + 1 + times * static_cast<int64_t>(by.size())));
  return Value(ReplaceAll(text, old, by, most));
}

Value PairsOf(const Value::Dict& dict) {
  std::vector<Value> pairs;
  pairs.reserve(dict.items.size());
  for (const auto& [key, item] : dict.items) pairs.push_back(Value::MakeList({Value(key), item}, true));
  return Value::MakeList(std::move(pairs));
}

bool Equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (!a.is_float() && !b.is_float()) return a.integer() == b.integer();
    return a.number() == b.number();
  }
  if (a.is_string() && b.is_string()) return a.string() == b.string();
  if (a.is_list() && b.is_list()) {
    const auto &left = a.list(), &right = b.list();
    return left.tuple == right.tuple && left.items.size() == right.items.size() &&
           std::equal(left.items.begin(), left.items.end(), right.items.begin(), Equal);
  }
  if (a.is_dict() && b.is_dict()) {
    const auto &left = a.dict(), &right = b.dict();
    return left.items.size() == right.items.size() &&
           std::all_of(left.items.begin(), left.items.end(), [&](const auto& item) {
             const Value* other = right.Find(item.first);
             return other != nullptr && Equal(item.second, *other);
           });
  }
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

absl::StatusOr<bool> Less(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return a.number() < b.number();
  if (a.is_string() && b.is_string()) return a.string() < b.string();
  if (a.is_list() && b.is_list()) {
    const auto &left = a.list().items, &right = b.list().items;
    for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
      if (!Equal(left[i], right[i])) return Less(left[i], right[i]);
    }
    return left.size() < right.size();
  }
  return Unfit("<", a, b);
}

absl::StatusOr<bool> Compare(std::string_view operation, const Value& a, const Value& b) {
  if (operation == "==") return Equal(a, b);
  if (operation == "!=") return !Equal(a, b);
  if (operation == "<") return Less(a, b);
  if (operation == ">") return Less(b, a);
  if (operation == "<=" || operation == ">=") {
    ABSL_ASSIGN_OR_RETURN(const bool other, operation == "<=" ? Less(b, a) : Less(a, b));
    return !other;
  }
  const bool negated = operation == "not in";
  if (b.is_string()) {
    if (!a.is_string()) return Unfit("in", a, b);
    return (b.string().find(a.string()) != std::string::npos) != negated;
  }
  if (b.is_dict()) return (a.is_string() && b.dict().Find(a.string()) != nullptr) != negated;
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(b));
  return std::any_of(items.begin(), items.end(), [&](const Value& item) { return Equal(item, a); }) != negated;
}

absl::StatusOr<Value> Binary(std::string_view operation, const Value& a, const Value& b) {
  if (operation == "~") return Bounded(ToText(a) + ToText(b));
  if (a.is_number() && b.is_number()) {
    const bool whole = !a.is_float() && !b.is_float() && operation != "/";
    if (whole && operation == "**" && b.integer() >= 0) return WholePower(a.integer(), b.integer());
    if (whole && operation != "**") return WholeArithmetic(operation, a.integer(), b.integer());
    return FloatArithmetic(operation, a.number(), b.number());
  }
  if (operation == "+") return Plus(a, b);
  if (operation == "*" && (a.is_string() || a.is_list()) && (b.is_int() || b.is_bool()))
    return Repeated(a, b.integer());
  if (operation == "*" && (b.is_string() || b.is_list()) && (a.is_int() || a.is_bool()))
    return Repeated(b, a.integer());
  return Unfit(operation, a, b);
}

absl::StatusOr<Value> Negated(const Value& value) {
  if (value.is_float()) return Value(-value.number());
  if (value.is_number()) return WholeArithmetic("-", 0, value.integer());
  return ValueError("'-' does not work on " + value.TypeName());
}

absl::StatusOr<std::vector<Value>> Items(const Value& value) {
  if (value.is_undefined()) return std::vector<Value>();
  if (value.is_list()) return value.list().items;
  std::vector<Value> items;
  if (value.is_dict()) {
    for (const auto& [key, ignored] : value.dict().items) items.emplace_back(key);
    return items;
  }
  if (!value.is_string()) return ValueError(value.TypeName() + " cannot be gone through");
  for (const std::string_view c : Characters(value.string())) items.emplace_back(std::string(c));
  return items;
}

absl::StatusOr<int64_t> LengthOf(const Value& value) {
  if (value.is_undefined()) return 0;
  if (value.is_string()) return CharacterCount(value.string());
  if (value.is_list()) return static_cast<int64_t>(value.list().items.size());
  if (value.is_dict()) return static_cast<int64_t>(value.dict().items.size());
  return ValueError(value.TypeName() + " has no length");
}

absl::StatusOr<Value> Attribute(const Value& value, const std::string& name) {
  if (value.is_undefined()) return ValueError("'" + value.undefined_name() + "' is undefined");
  if (std::optional<Value> method = Method(value, name)) return *std::move(method);
  if (value.is_dict()) {
    if (const Value* found = value.dict().Find(name)) return *found;
  }
  return Value::MakeUndefined(name);
}

absl::StatusOr<Value> Item(const Value& value, const Value& key) {
  if (value.is_undefined()) return ValueError("'" + value.undefined_name() + "' is undefined");
  if (value.is_dict()) {
    const Value* found = key.is_string() ? value.dict().Find(key.string()) : nullptr;
    if (found != nullptr) return *found;
    return key.is_string() ? Attribute(value, key.string()) : Value::MakeUndefined(ToText(key));
  }
  if (key.is_int() || key.is_bool()) {
    ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value));
    const auto size = static_cast<int64_t>(items.size());
    const int64_t at = key.integer() < 0 ? key.integer() + size : key.integer();
    if (at >= 0 && at < size) return items[static_cast<size_t>(at)];
  }
  if (key.is_string()) return Attribute(value, key.string());
  return Value::MakeUndefined(value.TypeName() + "[" + ToRepr(key) + "]");
}

absl::StatusOr<Value> Slice(const Value& value, const Value& begin, const Value& end, const Value& step) {
  if (!value.is_string() && !value.is_list()) return ValueError(value.TypeName() + " cannot be sliced");
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> items, Items(value));
  ABSL_ASSIGN_OR_RETURN(const SliceBounds bounds, Bounds(begin, end, step, static_cast<int64_t>(items.size())));
  std::vector<Value> chosen;
  for (int64_t i = bounds.begin; bounds.step > 0 ? i < bounds.end : i > bounds.end;) {
    chosen.push_back(items[static_cast<size_t>(i)]);
    if (__builtin_add_overflow(i, bounds.step, &i)) break;
  }
  if (value.is_list()) return Value::MakeList(std::move(chosen), value.list().tuple);
  std::string text;
  for (const Value& c : chosen) text += c.string();
  return Value(std::move(text));
}

}  // namespace bitwright::worker
