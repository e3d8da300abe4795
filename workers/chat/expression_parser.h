#pragma once

#include "absl/status/statusor.h"
#include "workers/chat/template_tree.h"
#include "workers/chat/token_reader.h"

namespace bitwright::worker {

// Parses the expressions of a template. CHAT_TEMPLATE_INVALID, CHAT_TEMPLATE_LIMIT (nesting).
class ExpressionParser {
 public:
  explicit ExpressionParser(TokenReader& reader) : reader_(reader) {}

  // One expression, or several with commas, which make a tuple. `conditional` false leaves an `if` to the caller.
  absl::StatusOr<ExpressionPtr> Tuple(bool conditional = true);
  absl::StatusOr<ExpressionPtr> One(bool conditional = true);
  // "name(args) | name …" applied to `input`: the rest of {% filter %} and {% set x | … %}.
  absl::StatusOr<ExpressionPtr> Filters(ExpressionPtr input);
  absl::StatusOr<std::vector<Argument>> Arguments();  // behind "(", up to and with ")"

 private:
  using Rule = absl::StatusOr<ExpressionPtr> (ExpressionParser::*)();

  absl::StatusOr<ExpressionPtr> Or();
  absl::StatusOr<ExpressionPtr> And();
  absl::StatusOr<ExpressionPtr> Not();
  absl::StatusOr<ExpressionPtr> Compare();
  absl::StatusOr<ExpressionPtr> Sum();
  absl::StatusOr<ExpressionPtr> Joined();
  absl::StatusOr<ExpressionPtr> Product();
  absl::StatusOr<ExpressionPtr> Power();
  absl::StatusOr<ExpressionPtr> UnaryWithFilters();
  absl::StatusOr<ExpressionPtr> Unary();
  absl::StatusOr<ExpressionPtr> Primary();
  absl::StatusOr<ExpressionPtr> Postfix(ExpressionPtr value);
  absl::StatusOr<ExpressionPtr> FiltersAndTests(ExpressionPtr value);
  absl::StatusOr<ExpressionPtr> Subscript(ExpressionPtr value);
  absl::StatusOr<ExpressionPtr> Test(ExpressionPtr value);
  absl::StatusOr<ExpressionPtr> Call(ExpressionPtr value);
  absl::StatusOr<ExpressionPtr> Parenthesized();
  absl::StatusOr<ExpressionPtr> List();
  absl::StatusOr<ExpressionPtr> Dict();
  absl::StatusOr<ExpressionPtr> Constant();
  // Operators of one level, left to right.
  absl::StatusOr<ExpressionPtr> LeftToRight(Rule operand, std::initializer_list<std::string_view> operators);

  TokenReader& reader_;
  int depth_ = 0;
};

}  // namespace bitwright::worker
