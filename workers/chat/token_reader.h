#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "workers/chat/chat_errors.h"
#include "workers/chat/lexer.h"

namespace bitwright::worker {

// Where a parser is in the tokens of a template. The tokens must outlive it.
class TokenReader {
 public:
  explicit TokenReader(std::span<const Token> tokens) : tokens_(tokens) {}

  bool done() const { return at_ >= tokens_.size(); }
  const Token& token() const { return done() ? kNothing : tokens_[at_]; }
  int line() const { return token().line; }
  void Next() { ++at_; }

  bool Is(Token::Kind kind) const { return !done() && token().kind == kind; }
  bool IsOperator(std::string_view text) const { return Is(Token::Kind::kOperator) && token().text == text; }
  bool IsName(std::string_view text) const { return Is(Token::Kind::kName) && token().text == text; }
  // Moves on when it is there.
  bool TakeOperator(std::string_view text) { return Take(IsOperator(text)); }
  bool TakeName(std::string_view text) { return Take(IsName(text)); }

  absl::Status ExpectOperator(std::string_view text) {
    return TakeOperator(text) ? absl::OkStatus() : Fail("'" + std::string(text) + "' is expected");
  }
  absl::Status Expect(Token::Kind kind, std::string_view what) {
    return Take(Is(kind)) ? absl::OkStatus() : Fail(std::string(what) + " is expected");
  }
  absl::Status Fail(std::string_view problem) const { return ChatTemplateInvalidError(line(), problem); }

 private:
  bool Take(bool there) {
    if (there) Next();
    return there;
  }

  inline static const Token kNothing{Token::Kind::kText, "", 0};
  std::span<const Token> tokens_;
  size_t at_ = 0;
};

}  // namespace bitwright::worker
