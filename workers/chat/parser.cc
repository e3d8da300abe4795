#include "workers/chat/parser.h"

#include <algorithm>
#include <initializer_list>

#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"
#include "workers/chat/expression_parser.h"
#include "workers/chat/token_reader.h"

namespace bitwright::worker {
namespace {

using Kind = Statement::Kind;
using Words = std::initializer_list<std::string_view>;

constexpr int kMostNesting = 100;

class Parser {
 public:
  explicit Parser(std::span<const Token> tokens) : reader_(tokens), expressions_(reader_) {}

  absl::StatusOr<Body> All() {
    ABSL_ASSIGN_OR_RETURN(Body body, Until({}));
    if (!reader_.done()) return reader_.Fail("'" + reader_.token().text + "' has no beginning");
    return body;
  }

 private:
  // Statements up to a block tag that begins with one of these words: the reader is then at the word.
  absl::StatusOr<Body> Until(Words ends) {
    if (++depth_ > kMostNesting) return ChatTemplateLimitError("levels of blocks", kMostNesting);
    Body body;
    while (!reader_.done()) {
      if (reader_.Is(Token::Kind::kText)) {
        body.push_back({.kind = Kind::kText, .line = reader_.line(), .text = reader_.token().text});
        reader_.Next();
      } else if (reader_.Is(Token::Kind::kOutputBegin)) {
        ABSL_ASSIGN_OR_RETURN(Statement output, Output());
        body.push_back(std::move(output));
      } else {
        ABSL_RETURN_IF_ERROR(reader_.Expect(Token::Kind::kBlockBegin, "a tag"));
        const std::string& word = reader_.token().text;
        if (std::find(ends.begin(), ends.end(), word) != ends.end()) break;
        if (word.starts_with("end") || word == "else" || word == "elif") {
          return reader_.Fail("'" + word + "' does not fit here");
        }
        ABSL_ASSIGN_OR_RETURN(Statement block, Block());
        body.push_back(std::move(block));
      }
    }
    --depth_;
    return body;
  }

  absl::Status EndTag() { return reader_.Expect(Token::Kind::kBlockEnd, "the end of the tag"); }

  // A body and its end tag.
  absl::StatusOr<Body> BodyTo(std::string_view end) {
    ABSL_RETURN_IF_ERROR(EndTag());
    ABSL_ASSIGN_OR_RETURN(Body body, Until({end}));
    if (!reader_.TakeName(end)) return reader_.Fail("'" + std::string(end) + "' is missing");
    if (reader_.Is(Token::Kind::kName)) reader_.Next();  // {% endmacro name %}
    ABSL_RETURN_IF_ERROR(EndTag());
    return body;
  }

  absl::StatusOr<Statement> Output() {
    Statement output{.kind = Kind::kOutput, .line = reader_.line()};
    reader_.Next();
    ABSL_ASSIGN_OR_RETURN(output.value, expressions_.Tuple());
    ABSL_RETURN_IF_ERROR(reader_.Expect(Token::Kind::kOutputEnd, "'}}'"));
    return output;
  }

  absl::StatusOr<Statement> Block() {
    const std::string word = reader_.token().text;
    const int line = reader_.line();
    ABSL_RETURN_IF_ERROR(reader_.Expect(Token::Kind::kName, "a statement"));
    if (word == "for") return For(line);
    if (word == "if") return If(line);
    if (word == "set") return Set(line);
    if (word == "macro") return Macro(line);
    if (word == "filter") return Filter(line);
    if (word == "with") return With(line);
    Statement plain{.line = line};
    if (word == "generation") {
      plain.kind = Kind::kBody;
      ABSL_ASSIGN_OR_RETURN(plain.body, BodyTo("endgeneration"));
      return plain;
    }
    if (word == "break" || word == "continue") {
      plain.kind = word == "break" ? Kind::kBreak : Kind::kContinue;
      ABSL_RETURN_IF_ERROR(EndTag());
      return plain;
    }
    return ChatTemplateUnsupportedError(line, "the statement '" + word + "'");
  }

  absl::StatusOr<std::vector<std::string>> Targets() {
    std::vector<std::string> targets;
    const bool brackets = reader_.TakeOperator("(");
    do {
      if (!targets.empty() && !reader_.Is(Token::Kind::kName)) break;
      targets.push_back(reader_.token().text);
      ABSL_RETURN_IF_ERROR(reader_.Expect(Token::Kind::kName, "a name"));
    } while (reader_.TakeOperator(","));
    if (brackets) ABSL_RETURN_IF_ERROR(reader_.ExpectOperator(")"));
    return targets;
  }

  absl::StatusOr<Statement> For(int line) {
    Statement loop{.kind = Kind::kFor, .line = line};
    ABSL_ASSIGN_OR_RETURN(loop.targets, Targets());
    if (!reader_.TakeName("in")) return reader_.Fail("'in' is expected");
    ABSL_ASSIGN_OR_RETURN(loop.value, expressions_.Tuple(/*conditional=*/false));
    if (reader_.TakeName("if")) {
      ABSL_ASSIGN_OR_RETURN(loop.condition, expressions_.One());
    }
    if (reader_.IsName("recursive")) return ChatTemplateUnsupportedError(line, "a recursive loop");
    ABSL_RETURN_IF_ERROR(EndTag());
    ABSL_ASSIGN_OR_RETURN(loop.body, Until({"else", "endfor"}));
    if (reader_.TakeName("else")) {
      ABSL_RETURN_IF_ERROR(EndTag());
      ABSL_ASSIGN_OR_RETURN(loop.otherwise, Until({"endfor"}));
    }
    if (!reader_.TakeName("endfor")) return reader_.Fail("'endfor' is missing");
    ABSL_RETURN_IF_ERROR(EndTag());
    return loop;
  }

  absl::StatusOr<Statement> If(int line) {
    if (++depth_ > kMostNesting) return ChatTemplateLimitError("branches of a condition", kMostNesting);
    Statement choice{.kind = Kind::kIf, .line = line};
    ABSL_ASSIGN_OR_RETURN(choice.condition, expressions_.Tuple());
    ABSL_RETURN_IF_ERROR(EndTag());
    ABSL_ASSIGN_OR_RETURN(choice.body, Until({"elif", "else", "endif"}));
    const int next = reader_.line();
    if (reader_.TakeName("elif")) {
      ABSL_ASSIGN_OR_RETURN(Statement other, If(next));
      choice.otherwise.push_back(std::move(other));
      --depth_;
      return choice;  // the innermost has taken the end tag
    }
    if (reader_.TakeName("else")) {
      ABSL_RETURN_IF_ERROR(EndTag());
      ABSL_ASSIGN_OR_RETURN(choice.otherwise, Until({"endif"}));
    }
    if (!reader_.TakeName("endif")) return reader_.Fail("'endif' is missing");
    ABSL_RETURN_IF_ERROR(EndTag());
    --depth_;
    return choice;
  }

  absl::StatusOr<Statement> Set(int line) {
    Statement set{.kind = Kind::kSet, .line = line};
    ABSL_ASSIGN_OR_RETURN(set.targets, Targets());
    if (set.targets.size() == 1 && reader_.TakeOperator(".")) {
      set.attribute = reader_.token().text;
      ABSL_RETURN_IF_ERROR(reader_.Expect(Token::Kind::kName, "a name"));
    }
    if (reader_.TakeOperator("=")) {
      ABSL_ASSIGN_OR_RETURN(set.value, expressions_.Tuple());
      ABSL_RETURN_IF_ERROR(EndTag());
      return set;
    }
    set.kind = Kind::kSetBlock;
    if (reader_.TakeOperator("|")) {
      ABSL_ASSIGN_OR_RETURN(set.value, expressions_.Filters(Written()));
    }
    ABSL_ASSIGN_OR_RETURN(set.body, BodyTo("endset"));
    return set;
  }

  absl::StatusOr<Statement> Macro(int line) {
    Statement macro{.kind = Kind::kMacro, .line = line};
    macro.targets.push_back(reader_.token().text);
    ABSL_RETURN_IF_ERROR(reader_.Expect(Token::Kind::kName, "a name"));
    ABSL_RETURN_IF_ERROR(reader_.ExpectOperator("("));
    while (!reader_.TakeOperator(")")) {
      if (!macro.arguments.empty()) ABSL_RETURN_IF_ERROR(reader_.ExpectOperator(","));
      Argument& parameter = macro.arguments.emplace_back();
      parameter.name = reader_.token().text;
      ABSL_RETURN_IF_ERROR(reader_.Expect(Token::Kind::kName, "the name of a parameter"));
      if (reader_.TakeOperator("=")) {
        ABSL_ASSIGN_OR_RETURN(parameter.value, expressions_.One());
      }
    }
    ABSL_ASSIGN_OR_RETURN(macro.body, BodyTo("endmacro"));
    return macro;
  }

  absl::StatusOr<Statement> Filter(int line) {
    Statement filter{.kind = Kind::kFilter, .line = line};
    ABSL_ASSIGN_OR_RETURN(filter.value, expressions_.Filters(Written()));
    ABSL_ASSIGN_OR_RETURN(filter.body, BodyTo("endfilter"));
    return filter;
  }

  absl::StatusOr<Statement> With(int line) {
    Statement with{.kind = Kind::kWith, .line = line};
    while (reader_.Is(Token::Kind::kName)) {
      Argument& variable = with.arguments.emplace_back();
      variable.name = reader_.token().text;
      reader_.Next();
      ABSL_RETURN_IF_ERROR(reader_.ExpectOperator("="));
      ABSL_ASSIGN_OR_RETURN(variable.value, expressions_.One());
      if (!reader_.TakeOperator(",")) break;
    }
    ABSL_ASSIGN_OR_RETURN(with.body, BodyTo("endwith"));
    return with;
  }

  ExpressionPtr Written() const {
    auto variable = std::make_unique<Expression>();
    variable->kind = Expression::Kind::kName;
    variable->line = reader_.line();
    variable->name = kWritten;
    return variable;
  }

  TokenReader reader_;
  ExpressionParser expressions_;
  int depth_ = 0;
};

}  // namespace

absl::StatusOr<Body> ParseTemplate(std::span<const Token> tokens) { return Parser(tokens).All(); }

}  // namespace bitwright::worker
