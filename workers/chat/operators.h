#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "workers/chat/value.h"

// What Python's operators give. Errors are ValueErrors: the caller knows the line.
namespace bitwright::worker {

inline constexpr int64_t kMostTextBytes = int64_t{16} << 20;  // of one value and of one rendered conversation
inline constexpr int64_t kMostItems = 1'000'000;              // of one list

// CHAT_TEMPLATE_LIMIT when a text of so many bytes is too long.
absl::Status CheckTextBytes(int64_t bytes);
// str.replace(): at most `most` of them; negative: all.
absl::StatusOr<Value> Replaced(const std::string& text, const std::string& old, const std::string& by, int64_t most);
// dict.items(): a list of pairs.
Value PairsOf(const Value::Dict& dict);

bool Equal(const Value& a, const Value& b);
// a < b for numbers, strings and lists.
absl::StatusOr<bool> Less(const Value& a, const Value& b);
// One of == != < <= > >= in, "not in".
absl::StatusOr<bool> Compare(std::string_view operation, const Value& a, const Value& b);
// One of + - * / // % ** ~
absl::StatusOr<Value> Binary(std::string_view operation, const Value& a, const Value& b);
absl::StatusOr<Value> Negated(const Value& value);

// The items that a loop or a filter goes through: of a list, the keys of a dict, the characters of a string; none of
// what is undefined.
absl::StatusOr<std::vector<Value>> Items(const Value& value);
absl::StatusOr<int64_t> LengthOf(const Value& value);

// value.name and value[key]; undefined when it is not there. Methods are found by Attribute alone.
absl::StatusOr<Value> Attribute(const Value& value, const std::string& name);
absl::StatusOr<Value> Item(const Value& value, const Value& key);
// value[begin:end:step], None for what is left out.
absl::StatusOr<Value> Slice(const Value& value, const Value& begin, const Value& end, const Value& step);

}  // namespace bitwright::worker
