#include "workers/chat/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "proto/base/utf8.h"
#include "workers/chat/strings.h"

namespace bitwright::worker {
namespace {

constexpr int kLeastExponent = -4;  // outside of these Python writes an exponent
constexpr int kMostExponent = 16;

// "1.5e-07" → digits "15", exponent −7.
struct Decimal {
  std::string digits;
  int exponent = 0;
};

Decimal Shortest(double magnitude) {
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude, std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<size_t>(end.ptr - buffer.data()));
  const size_t e = text.find('e');
  Decimal decimal;
  for (const char c : text.substr(0, e)) {
    if (c != '.') decimal.digits += c;
  }
  std::string_view exponent = text.substr(e + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), decimal.exponent);
  return decimal;
}

std::string PlainText(const Decimal& decimal) {
  if (decimal.exponent < 0) return "0." + std::string(static_cast<size_t>(-decimal.exponent - 1), '0') + decimal.digits;
  std::string digits = decimal.digits;
  const auto whole = static_cast<size_t>(decimal.exponent) + 1;
  if (digits.size() < whole + 1) digits.append(whole + 1 - digits.size(), '0');
  return digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string ExponentText(const Decimal& decimal) {
  std::string text = decimal.digits.substr(0, 1);
  if (decimal.digits.size() > 1) text += "." + decimal.digits.substr(1);
  const std::string exponent = std::to_string(std::abs(decimal.exponent));
  return text + (decimal.exponent < 0 ? "e-" : "e+") + (exponent.size() < 2 ? "0" : "") + exponent;
}

std::string Joined(const std::vector<Value>& items) {
  std::string text;
  for (const Value& item : items) text += (text.empty() ? "" : ", ") + ToRepr(item);
  return text;
}

std::string ListRepr(const Value::List& list) {
  if (!list.tuple) return "[" + Joined(list.items) + "]";
  return "(" + Joined(list.items) + (list.items.size() == 1 ? ",)" : ")");
}

std::string DictRepr(const Value::Dict& dict) {
  std::string text;
  for (const auto& [key, value] : dict.items) {
    text += (text.empty() ? "" : ", ") + QuotedAsPython(key) + ": " + ToRepr(value);
  }
  return "{" + text + "}";
}

}  // namespace

const Value* Value::Dict::Find(std::string_view key) const {
  const auto it = std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.first == key; });
  return it == items.end() ? nullptr : &it->second;
}

void Value::Dict::Set(const std::string& key, Value value) {
  const auto it = std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.first == key; });
  if (it == items.end()) {
    items.emplace_back(key, std::move(value));
  } else {
    it->second = std::move(value);
  }
}

Value Value::MakeList(std::vector<Value> items, bool tuple) {
  return Value(Data(std::make_shared<List>(List{std::move(items), tuple})));
}

Value Value::MakeDict(Dict dict) { return Value(Data(std::make_shared<Dict>(std::move(dict)))); }

Value Value::MakeFunction(Function function) { return Value(Data(std::make_shared<Function>(std::move(function)))); }

int64_t Value::integer() const { return is_bool() ? int64_t{boolean()} : std::get<int64_t>(data_); }

double Value::number() const { return is_float() ? std::get<double>(data_) : static_cast<double>(integer()); }

bool Value::Truth() const {
  if (is_undefined() || is_none()) return false;
  if (is_bool()) return boolean();
  if (is_int()) return integer() != 0;
  if (is_float()) return number() != 0;
  if (is_string()) return !string().empty();
  if (is_list()) return !list().items.empty();
  if (is_dict()) return dict().is_namespace || !dict().items.empty();
  return true;
}

std::string Value::TypeName() const {
  if (is_undefined()) return "undefined";
  if (is_none()) return "NoneType";
  if (is_bool()) return "bool";
  if (is_int()) return "int";
  if (is_float()) return "float";
  if (is_string()) return "str";
  if (is_list()) return list().tuple ? "tuple" : "list";
  if (is_dict()) return dict().is_namespace ? "namespace" : "dict";
  return "function";
}

const Value* CallArguments::Find(std::string_view name, size_t place) const {
  for (const auto& [given, value] : named) {
    if (given == name) return &value;
  }
  return place < positional.size() ? &positional[place] : nullptr;
}

std::string FloatText(double value) {
  if (std::isnan(value)) return "nan";
  const std::string sign = std::signbit(value) ? "-" : "";
  if (std::isinf(value)) return sign + "inf";
  const Decimal decimal = Shortest(std::abs(value));
  const bool plain = decimal.exponent >= kLeastExponent && decimal.exponent < kMostExponent;
  return sign + (plain ? PlainText(decimal) : ExponentText(decimal));
}

std::string ToText(const Value& value) {
  if (value.is_string()) return value.string();
  if (value.is_undefined()) return "";
  return ToRepr(value);
}

std::string ToRepr(const Value& value) {
  if (value.is_undefined()) return "Undefined";
  if (value.is_none()) return "None";
  if (value.is_bool()) return value.boolean() ? "True" : "False";
  if (value.is_int()) return std::to_string(value.integer());
  if (value.is_float()) return FloatText(value.number());
  if (value.is_string()) return QuotedAsPython(value.string());
  if (value.is_list()) return ListRepr(value.list());
  if (value.is_dict()) return DictRepr(value.dict());
  return "<function>";
}

}  // namespace bitwright::worker
