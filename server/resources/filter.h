#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bitwright::server {

// What a list can be filtered by. Views of constants.
struct FilterFields {
  std::span<const std::string_view> texts;   // fields whose value is any text
  std::span<const std::string_view> states;  // values of the field "state"
  bool labels = false;                       // fields "labels.KEY"
};

enum class FilterOp { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

// One condition, such as `name = "jobs/3f*"`.
struct Condition {
  std::string field;
  FilterOp op = FilterOp::kEqual;
  std::string value;
  bool prefix = false;  // the value ended with '*': any continuation
  absl::Time time;      // of create_time
};

// Conditions that must all hold: the filter of ListJobs and ListModels, a subset of AIP-160. Immutable.
class Filter {
 public:
  // INVALID_ARGUMENT, reason FILTER_INVALID: names the position, what was expected, and what can be filtered by.
  static absl::StatusOr<Filter> Parse(std::string_view text, const FilterFields& fields);

  bool empty() const { return conditions_.empty(); }
  // `texts_of` gives the values of a field of this filter other than create_time, mostly one, empty where it is not
  // set:
  // "=" holds where one of them is meant, "!=" where none is.
  bool Matches(const std::function<std::vector<std::string>(const std::string& field)>& texts_of,
               absl::Time create_time) const;

  // What names and states must begin with or be, so that a database looks at no others; empty: anything.
  std::string NamePrefix() const;
  std::string State() const;

 private:
  std::vector<Condition> conditions_;
};

// "create_time desc" or empty: false. "create_time": true, oldest first. INVALID_ARGUMENT, reason ORDER_INVALID.
absl::StatusOr<bool> ParseOrder(std::string_view order_by);

}  // namespace bitwright::server
