#include "workers/chat/expression_parser.h"

#include <charconv>

#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"

namespace bitwright::worker {
namespace {

using Kind = Expression::Kind;

constexpr int kMostNesting = 100;

std::unique_ptr<Expression> Make(Kind kind, int line) {
  auto expression = std::make_unique<Expression>();
  expression->kind = kind;
  expression->line = line;
  return expression;
}

std::unique_ptr<Expression> Make(Kind kind, int line, ExpressionPtr only) {
  auto expression = Make(kind, line);
  expression->parts.push_back(std::move(only));
  return expression;
}

ExpressionPtr MakeConstant(int line, Value value) {
  auto expression = Make(Kind::kConstant, line);
  expression->constant = std::move(value);
  return expression;
}

// Counts the levels that a parser is in: a hostile template must not exhaust the stack.
class Level {
 public:
  explicit Level(int& depth) : depth_(depth) { ++depth_; }
  ~Level() { --depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  int& depth_;
};

}  // namespace

absl::StatusOr<ExpressionPtr> ExpressionParser::Tuple(bool conditional) {
  const int line = reader_.line();
  ABSL_ASSIGN_OR_RETURN(ExpressionPtr first, One(conditional));
  if (!reader_.IsOperator(",")) return first;
  auto tuple = Make(Kind::kTuple, line, std::move(first));
  while (reader_.TakeOperator(",")) {
    if (reader_.Is(Token::Kind::kBlockEnd) || reader_.Is(Token::Kind::kOutputEnd) || reader_.IsOperator(")")) break;
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr next, One(conditional));
    tuple->parts.push_back(std::move(next));
  }
  return tuple;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::One(bool conditional) {
  const Level level(depth_);
  if (depth_ > kMostNesting) return ChatTemplateLimitError("levels of expressions", kMostNesting);
  ABSL_ASSIGN_OR_RETURN(ExpressionPtr value, Or());
  while (conditional && reader_.IsName("if")) {
    auto choice = Make(Kind::kConditional, reader_.line(), std::move(value));
    reader_.Next();
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr condition, Or());
    choice->parts.push_back(std::move(condition));
    ExpressionPtr otherwise;
    if (reader_.TakeName("else")) {
      ABSL_ASSIGN_OR_RETURN(otherwise, One());
    }
    choice->parts.push_back(std::move(otherwise));
    value = std::move(choice);
  }
  return value;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Or() {
  ABSL_ASSIGN_OR_RETURN(ExpressionPtr left, And());
  while (reader_.IsName("or")) {
    auto either = Make(Kind::kOr, reader_.line(), std::move(left));
    reader_.Next();
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr right, And());
    either->parts.push_back(std::move(right));
    left = std::move(either);
  }
  return left;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::And() {
  ABSL_ASSIGN_OR_RETURN(ExpressionPtr left, Not());
  while (reader_.IsName("and")) {
    auto both = Make(Kind::kAnd, reader_.line(), std::move(left));
    reader_.Next();
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr right, Not());
    both->parts.push_back(std::move(right));
    left = std::move(both);
  }
  return left;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Not() {
  const int line = reader_.line();
  if (!reader_.IsName("not")) return Compare();
  const Level level(depth_);
  if (depth_ > kMostNesting) return ChatTemplateLimitError("levels of expressions", kMostNesting);
  reader_.Next();
  ABSL_ASSIGN_OR_RETURN(ExpressionPtr value, Not());
  return Make(Kind::kNot, line, std::move(value));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Compare() {
  ABSL_ASSIGN_OR_RETURN(ExpressionPtr left, Sum());
  std::unique_ptr<Expression> chain;
  while (true) {
    std::string operation;
    for (const std::string_view symbol : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (operation.empty() && reader_.IsOperator(symbol)) operation = symbol;
    }
    const int line = reader_.line();
    if (!operation.empty()) {
      reader_.Next();
    } else if (reader_.TakeName("in")) {
      operation = "in";
    } else if (reader_.IsName("not")) {
      reader_.Next();
      if (!reader_.TakeName("in")) return reader_.Fail("'in' is expected after 'not'");
      operation = "not in";
    } else {
      break;
    }
    if (chain == nullptr) chain = Make(Kind::kCompare, line, std::move(left));
    chain->operators.push_back(operation);
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr right, Sum());
    chain->parts.push_back(std::move(right));
  }
  if (chain != nullptr) return chain;
  return left;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::LeftToRight(Rule operand,
                                                            std::initializer_list<std::string_view> operators) {
  ABSL_ASSIGN_OR_RETURN(ExpressionPtr left, (this->*operand)());
  while (true) {
    std::string_view found;
    for (const std::string_view symbol : operators) {
      if (reader_.IsOperator(symbol)) found = symbol;
    }
    if (found.empty()) return left;
    auto binary = Make(Kind::kBinary, reader_.line(), std::move(left));
    binary->name = found;
    reader_.Next();
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr right, (this->*operand)());
    binary->parts.push_back(std::move(right));
    left = std::move(binary);
  }
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Sum() { return LeftToRight(&ExpressionParser::Joined, {"+", "-"}); }
absl::StatusOr<ExpressionPtr> ExpressionParser::Joined() { return LeftToRight(&ExpressionParser::Product, {"~"}); }
absl::StatusOr<ExpressionPtr> ExpressionParser::Product() {
  return LeftToRight(&ExpressionParser::Power, {"*", "/", "//", "%"});
}
absl::StatusOr<ExpressionPtr> ExpressionParser::Power() {
  return LeftToRight(&ExpressionParser::UnaryWithFilters, {"**"});
}

absl::StatusOr<ExpressionPtr> ExpressionParser::UnaryWithFilters() {
  ABSL_ASSIGN_OR_RETURN(ExpressionPtr value, Unary());
  return FiltersAndTests(std::move(value));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Unary() {
  const Level level(depth_);
  if (depth_ > kMostNesting) return ChatTemplateLimitError("levels of expressions", kMostNesting);
  const int line = reader_.line();
  ExpressionPtr value;
  if (reader_.IsOperator("-") || reader_.IsOperator("+")) {
    const Kind kind = reader_.IsOperator("-") ? Kind::kNegative : Kind::kPositive;
    reader_.Next();
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr operand, Unary());
    value = Make(kind, line, std::move(operand));
  } else {
    ABSL_ASSIGN_OR_RETURN(value, Primary());
  }
  return Postfix(std::move(value));
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Primary() {
  const int line = reader_.line();
  if (reader_.Is(Token::Kind::kName)) {
    const std::string name = reader_.token().text;
    reader_.Next();
    if (name == "true" || name == "True") return MakeConstant(line, true);
    if (name == "false" || name == "False") return MakeConstant(line, false);
    if (name == "none" || name == "None") return MakeConstant(line, Value());
    auto variable = Make(Kind::kName, line);
    variable->name = name;
    return variable;
  }
  if (reader_.TakeOperator("(")) return Parenthesized();
  if (reader_.TakeOperator("[")) return List();
  if (reader_.TakeOperator("{")) return Dict();
  return Constant();
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Constant() {
  const int line = reader_.line();
  const std::string text = reader_.token().text;
  if (reader_.Is(Token::Kind::kString)) {
    std::string joined;
    for (; reader_.Is(Token::Kind::kString); reader_.Next()) joined += reader_.token().text;
    return MakeConstant(line, joined);
  }
  if (reader_.Is(Token::Kind::kInteger)) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return reader_.Fail("the number " + text + " is too large");
    reader_.Next();
    return MakeConstant(line, value);
  }
  if (reader_.Is(Token::Kind::kFloat)) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return reader_.Fail("the number " + text + " is too large");
    reader_.Next();
    return MakeConstant(line, value);
  }
  return reader_.Fail("an expression is expected");
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Parenthesized() {
  const int line = reader_.line();
  if (reader_.TakeOperator(")")) return Make(Kind::kTuple, line);
  ABSL_ASSIGN_OR_RETURN(ExpressionPtr inner, Tuple());
  ABSL_RETURN_IF_ERROR(reader_.ExpectOperator(")"));
  return inner;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::List() {
  auto list = Make(Kind::kList, reader_.line());
  while (!reader_.TakeOperator("]")) {
    if (!list->parts.empty()) ABSL_RETURN_IF_ERROR(reader_.ExpectOperator(","));
    if (reader_.TakeOperator("]")) break;
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr item, One());
    list->parts.push_back(std::move(item));
  }
  return list;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Dict() {
  auto dict = Make(Kind::kDict, reader_.line());
  while (!reader_.TakeOperator("}")) {
    if (!dict->parts.empty()) ABSL_RETURN_IF_ERROR(reader_.ExpectOperator(","));
    if (reader_.TakeOperator("}")) break;
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr key, One());
    ABSL_RETURN_IF_ERROR(reader_.ExpectOperator(":"));
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr value, One());
    dict->parts.push_back(std::move(key));
    dict->parts.push_back(std::move(value));
  }
  return dict;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Postfix(ExpressionPtr value) {
  while (true) {
    const int line = reader_.line();
    if (reader_.TakeOperator(".")) {
      if (!reader_.Is(Token::Kind::kName) && !reader_.Is(Token::Kind::kInteger))
        return reader_.Fail("a name is expected");
      const bool number = reader_.Is(Token::Kind::kInteger);
      auto member = Make(number ? Kind::kItem : Kind::kAttribute, line, std::move(value));
      if (number) {
        ABSL_ASSIGN_OR_RETURN(ExpressionPtr index, Constant());
        member->parts.push_back(std::move(index));
      } else {
        member->name = reader_.token().text;
        reader_.Next();
      }
      value = std::move(member);
    } else if (reader_.TakeOperator("[")) {
      ABSL_ASSIGN_OR_RETURN(value, Subscript(std::move(value)));
    } else if (reader_.IsOperator("(")) {
      ABSL_ASSIGN_OR_RETURN(value, Call(std::move(value)));
    } else {
      return value;
    }
  }
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Subscript(ExpressionPtr value) {
  const int line = reader_.line();
  ExpressionPtr bounds[3];
  int part = 0;
  bool slice = false;
  while (!reader_.TakeOperator("]")) {
    if (reader_.TakeOperator(":")) {
      slice = true;
      if (++part > 2) return reader_.Fail("a slice has at most three parts");
      continue;
    }
    if (bounds[part] != nullptr) return reader_.Fail("']' is expected");
    ABSL_ASSIGN_OR_RETURN(bounds[part], One());
  }
  if (!slice && bounds[0] == nullptr) return reader_.Fail("an index is expected");
  auto item = Make(slice ? Kind::kSlice : Kind::kItem, line, std::move(value));
  for (int i = 0; i < (slice ? 3 : 1); ++i) item->parts.push_back(std::move(bounds[i]));
  return item;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Call(ExpressionPtr value) {
  auto call = Make(Kind::kCall, reader_.line(), std::move(value));
  ABSL_RETURN_IF_ERROR(reader_.ExpectOperator("("));
  ABSL_ASSIGN_OR_RETURN(call->arguments, Arguments());
  return call;
}

absl::StatusOr<std::vector<Argument>> ExpressionParser::Arguments() {
  std::vector<Argument> arguments;
  while (!reader_.TakeOperator(")")) {
    if (!arguments.empty()) ABSL_RETURN_IF_ERROR(reader_.ExpectOperator(","));
    if (reader_.TakeOperator(")")) break;
    if (reader_.IsOperator("*") || reader_.IsOperator("**")) {
      return ChatTemplateUnsupportedError(reader_.line(), "a call with * or ** arguments");
    }
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr value, One());
    Argument& argument = arguments.emplace_back();
    if (value->kind == Kind::kName && reader_.TakeOperator("=")) {
      argument.name = value->name;
      ABSL_ASSIGN_OR_RETURN(value, One());
    }
    argument.value = std::move(value);
  }
  return arguments;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::FiltersAndTests(ExpressionPtr value) {
  while (true) {
    if (reader_.TakeOperator("|")) {
      ABSL_ASSIGN_OR_RETURN(value, Filters(std::move(value)));
    } else if (reader_.TakeName("is")) {
      ABSL_ASSIGN_OR_RETURN(value, Test(std::move(value)));
    } else if (reader_.IsOperator("(")) {
      ABSL_ASSIGN_OR_RETURN(value, Call(std::move(value)));
    } else {
      return value;
    }
  }
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Filters(ExpressionPtr input) {
  do {
    auto filter = Make(Kind::kFilter, reader_.line(), std::move(input));
    filter->name = reader_.token().text;
    ABSL_RETURN_IF_ERROR(reader_.Expect(Token::Kind::kName, "the name of a filter"));
    if (reader_.TakeOperator("(")) {
      ABSL_ASSIGN_OR_RETURN(filter->arguments, Arguments());
    }
    input = std::move(filter);
  } while (reader_.TakeOperator("|"));
  return input;
}

absl::StatusOr<ExpressionPtr> ExpressionParser::Test(ExpressionPtr value) {
  const int line = reader_.line();
  const bool negated = reader_.TakeName("not");
  auto test = Make(Kind::kTest, line, std::move(value));
  test->name = reader_.token().text;
  ABSL_RETURN_IF_ERROR(reader_.Expect(Token::Kind::kName, "the name of a test"));
  const bool word = reader_.Is(Token::Kind::kName) && !reader_.IsName("else") && !reader_.IsName("or") &&
                    !reader_.IsName("and") && !reader_.IsName("is") && !reader_.IsName("if") && !reader_.IsName("in") &&
                    !reader_.IsName("not");
  if (reader_.TakeOperator("(")) {
    ABSL_ASSIGN_OR_RETURN(test->arguments, Arguments());
  } else if (word || reader_.Is(Token::Kind::kString) || reader_.Is(Token::Kind::kInteger) ||
             reader_.Is(Token::Kind::kFloat) || reader_.IsOperator("[") || reader_.IsOperator("{")) {
    ABSL_ASSIGN_OR_RETURN(ExpressionPtr operand, Primary());
    ABSL_ASSIGN_OR_RETURN(operand, Postfix(std::move(operand)));
    test->arguments.push_back({"", std::move(operand)});
  }
  if (!negated) return test;
  return Make(Kind::kNot, line, std::move(test));
}

}  // namespace bitwright::worker
