#include "server/resources/filter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "server/resources/resource_errors.h"

namespace bitwright::server {
namespace {

constexpr std::string_view kState = "state";
constexpr std::string_view kName = "name";
constexpr std::string_view kCreateTime = "create_time";
constexpr std::string_view kLabelPrefix = "labels.";

bool IsFieldChar(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-'; }
bool IsBareChar(char c) {
  return !absl::ascii_isspace(c) && std::string_view("\"'()<>=!,").find(c) == std::string::npos;
}

std::string Joined(std::span<const std::string_view> words) {
  std::string all;
  for (const std::string_view word : words) all.append(all.empty() ? "" : ", ").append(word);
  return all;
}

std::string AllFields(const FilterFields& fields) {
  const std::string all = Joined(fields.texts) + ", state, create_time";
  return fields.labels ? all + ", labels.KEY" : all;
}

// Reads conditions from left to right.
class FilterParser {
 public:
  FilterParser(std::string_view text, const FilterFields& fields) : text_(text), fields_(fields) {}

  absl::StatusOr<std::vector<Condition>> Run() {
    std::vector<Condition> conditions;
    for (SkipSpace(); at_ < text_.size(); SkipSpace()) {
      if (!conditions.empty()) ABSL_RETURN_IF_ERROR(TakeAnd());
      ABSL_ASSIGN_OR_RETURN(Condition condition, TakeCondition());
      conditions.push_back(std::move(condition));
    }
    return conditions;
  }

 private:
  absl::Status Wrong(size_t at, std::string_view why) const { return FilterInvalidError(text_, at + 1, why); }

  void SkipSpace() {
    while (at_ < text_.size() && absl::ascii_isspace(text_[at_])) ++at_;
  }

  std::string_view TakeWhile(bool (*wanted)(char)) {
    const size_t begin = at_;
    while (at_ < text_.size() && wanted(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  absl::Status TakeAnd() {
    const size_t begin = at_;
    if (TakeWhile(IsFieldChar) != "AND") return Wrong(begin, "AND is expected between two conditions");
    SkipSpace();
    return at_ < text_.size() ? absl::OkStatus() : Wrong(begin, "a condition is expected after AND");
  }

  absl::StatusOr<Condition> TakeCondition() {
    Condition condition;
    const size_t begin = at_;
    condition.field = TakeWhile(IsFieldChar);
    ABSL_RETURN_IF_ERROR(CheckField(begin, condition.field));
    SkipSpace();
    const size_t op_begin = at_;
    ABSL_ASSIGN_OR_RETURN(condition.op, TakeOp());
    SkipSpace();
    const size_t value_begin = at_;
    ABSL_RETURN_IF_ERROR(TakeValue(condition));
    ABSL_RETURN_IF_ERROR(CheckValue(op_begin, value_begin, condition));
    return condition;
  }

  absl::Status CheckField(size_t begin, std::string_view field) const {
    if (field.empty()) return Wrong(begin, "a field is expected: " + AllFields(fields_));
    const bool label = fields_.labels && field.size() > kLabelPrefix.size() && field.starts_with(kLabelPrefix);
    const bool text = std::find(fields_.texts.begin(), fields_.texts.end(), field) != fields_.texts.end();
    if (label || text || field == kState || field == kCreateTime) return absl::OkStatus();
    return Wrong(begin, "'" + std::string(field) + "' is no field; give one of " + AllFields(fields_));
  }

  absl::StatusOr<FilterOp> TakeOp() {
    constexpr std::pair<std::string_view, FilterOp> kOps[] = {
        {"!=", FilterOp::kNotEqual}, {"<=", FilterOp::kLessOrEqual}, {">=", FilterOp::kGreaterOrEqual},
        {"=", FilterOp::kEqual},     {"<", FilterOp::kLess},         {">", FilterOp::kGreater},
    };
    for (const auto& [text, op] : kOps) {
      if (!text_.substr(at_).starts_with(text)) continue;
      at_ += text.size();
      return op;
    }
    return Wrong(at_, "an operator is expected: =, !=, and for create_time also <, <=, >, >=");
  }

  absl::Status TakeValue(Condition& condition) {
    const size_t begin = at_;
    last_escaped_ = false;
    if (at_ == text_.size() || text_[at_] != '"') {
      condition.value = TakeWhile(IsBareChar);
      if (condition.value.empty()) return Wrong(begin, "a value is expected, such as \"text\"");
    } else {
      ABSL_RETURN_IF_ERROR(TakeQuoted(condition));
    }
    condition.prefix = !last_escaped_ && condition.value.ends_with('*');
    if (condition.prefix) condition.value.pop_back();
    return absl::OkStatus();
  }

  // A backslash makes the character after it plain.
  absl::Status TakeQuoted(Condition& condition) {
    const size_t begin = at_++;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      last_escaped_ = text_[at_] == '\\' && at_ + 1 < text_.size();
      if (last_escaped_) ++at_;
      condition.value += text_[at_];
    }
    if (at_ == text_.size()) return Wrong(begin, "this quotation mark has no second one");
    ++at_;
    return absl::OkStatus();
  }

  absl::Status CheckValue(size_t op_begin, size_t value_begin, Condition& condition) {
    const bool ordered = condition.op != FilterOp::kEqual && condition.op != FilterOp::kNotEqual;
    if (condition.field == kCreateTime) {
      std::string error;
      if (!condition.prefix && absl::ParseTime(absl::RFC3339_full, condition.value, &condition.time, &error)) {
        return absl::OkStatus();
      }
      return Wrong(value_begin, "a time is expected, such as \"2026-01-31T12:00:00Z\"");
    }
    if (ordered) return Wrong(op_begin, "only create_time can be compared with <, <=, >, >=; give = or !=");
    if (condition.field != kState) return absl::OkStatus();
    const auto& states = fields_.states;
    if (!condition.prefix && std::find(states.begin(), states.end(), condition.value) != states.end()) {
      return absl::OkStatus();
    }
    return Wrong(value_begin, "a state is expected: " + Joined(states));
  }

  const std::string_view text_;
  const FilterFields& fields_;
  size_t at_ = 0;
  bool last_escaped_ = false;
};

bool Holds(FilterOp op, absl::Time left, absl::Time right) {
  switch (op) {
    case FilterOp::kEqual:
      return left == right;
    case FilterOp::kNotEqual:
      return left != right;
    case FilterOp::kLess:
      return left < right;
    case FilterOp::kLessOrEqual:
      return left <= right;
    case FilterOp::kGreater:
      return left > right;
    case FilterOp::kGreaterOrEqual:
      return left >= right;
  }
  return false;
}

bool Holds(const Condition& condition, const std::vector<std::string>& texts) {
  const bool equal = std::ranges::any_of(texts, [&](const std::string& text) {
    return condition.prefix ? text.starts_with(condition.value) : text == condition.value;
  });
  return equal == (condition.op == FilterOp::kEqual);
}

}  // namespace

absl::StatusOr<Filter> Filter::Parse(std::string_view text, const FilterFields& fields) {
  if (text.size() > limits::kMaxFilterBytes) return FilterTooLongError(text.size());
  Filter filter;
  ABSL_ASSIGN_OR_RETURN(filter.conditions_, FilterParser(text, fields).Run());
  return filter;
}

bool Filter::Matches(const std::function<std::vector<std::string>(const std::string& field)>& texts_of,
                     absl::Time create_time) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    return condition.field == kCreateTime ? Holds(condition.op, create_time, condition.time)
                                          : Holds(condition, texts_of(condition.field));
  });
}

std::string Filter::NamePrefix() const {
  for (const Condition& condition : conditions_) {
    if (condition.field == kName && condition.op == FilterOp::kEqual) return condition.value;
  }
  return "";
}

std::string Filter::State() const {
  for (const Condition& condition : conditions_) {
    if (condition.field == kState && condition.op == FilterOp::kEqual) return condition.value;
  }
  return "";
}

absl::StatusOr<bool> ParseOrder(std::string_view order_by) {
  if (order_by.empty() || order_by == "create_time desc") return false;
  if (order_by == "create_time" || order_by == "create_time asc") return true;
  return OrderInvalidError(order_by);
}

}  // namespace bitwright::server
