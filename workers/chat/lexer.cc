#include "workers/chat/lexer.h"

#include <algorithm>
#include <array>

#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"
#include "workers/chat/strings.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

using Kind = Token::Kind;

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f'; }

// Line breaks become "\n"; one at the end goes.
std::string Normalized(std::string_view source) {
  std::string text;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text += source[i];
    } else {
      text += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Token>> Run() {
    while (at_ < text_.size()) ABSL_RETURN_IF_ERROR(TextAndTag());
    return std::move(tokens_);
  }

 private:
  absl::Status Fail(std::string_view problem) const { return ChatTemplateInvalidError(line_, problem); }

  void Advance(size_t count) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(at_ + count), '\n'));
    at_ += count;
  }
  std::string_view Rest() const { return text_.substr(at_); }
  void Add(Kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  // The next "{{", "{%" or "{#"; npos: none.
  size_t NextTag() const {
    size_t at = at_;
    while ((at = text_.find('{', at)) != std::string_view::npos) {
      if (at + 1 < text_.size() && (text_[at + 1] == '{' || text_[at + 1] == '%' || text_[at + 1] == '#')) return at;
      ++at;
    }
    return at;
  }

  // White space that goes from the end of the text before a tag.
  static std::string_view Trimmed(std::string_view text, char tag, char sign, bool at_line_start) {
    if (sign == '-') return StripRight(text);
    if (tag == '{' || sign == '+') return text;
    const size_t line = text.rfind('\n') + 1;  // 0 when there is none
    if (line == 0 && !at_line_start) return text;
    const std::string_view last = text.substr(line);
    return StripLeft(last).empty() ? text.substr(0, line) : text;
  }

  absl::Status TextAndTag() {
    const size_t tag = NextTag();
    const bool at_line_start = at_ == 0 || text_[at_ - 1] == '\n';
    if (tag == std::string_view::npos) {
      Add(Kind::kText, std::string(Rest()));
      Advance(Rest().size());
      return absl::OkStatus();
    }
    const char kind = text_[tag + 1];
    const char sign = tag + 2 < text_.size() ? text_[tag + 2] : ' ';
    const std::string_view text = Trimmed(text_.substr(at_, tag - at_), kind, sign, at_line_start);
    if (!text.empty()) Add(Kind::kText, std::string(text));
    Advance(tag - at_);
    Advance(sign == '-' || (sign == '+' && kind != '{') ? 3 : 2);
    if (kind == '#') return Comment();
    if (kind == '{') return Expression(Kind::kOutputBegin, Kind::kOutputEnd, "}}");
    if (IsRaw()) return Raw();
    return Expression(Kind::kBlockBegin, Kind::kBlockEnd, "%}");
  }

  // Behind the end of a tag: what it takes of the text that follows. `sign` is the character before the end.
  void SkipAfter(char sign, bool block) {
    if (sign == '-') {
      Advance(Rest().size() - StripLeft(Rest()).size());
    } else if (block && sign != '+' && Rest().starts_with('\n')) {
      Advance(1);
    }
  }

  absl::Status Comment() {
    const size_t end = text_.find("#}", at_);
    if (end == std::string_view::npos) return Fail("a comment does not end");
    const char sign = end > at_ ? text_[end - 1] : ' ';
    Advance(end + 2 - at_);
    SkipAfter(sign, true);
    return absl::OkStatus();
  }

  bool IsRaw() const {
    std::string_view rest = Rest();
    while (!rest.empty() && IsBlank(rest.front())) rest.remove_prefix(1);
    if (!rest.starts_with("raw")) return false;
    rest.remove_prefix(3);
    while (!rest.empty() && IsBlank(rest.front())) rest.remove_prefix(1);
    return rest.starts_with("%}") || rest.starts_with("-%}");
  }

  absl::Status Raw() {
    const size_t begin = text_.find("%}", at_);
    const char sign = text_[begin - 1];
    Advance(begin + 2 - at_);
    SkipAfter(sign, true);
    const bool at_line_start = at_ > 0 && text_[at_ - 1] == '\n';
    for (size_t end = text_.find("{%", at_); end != std::string_view::npos; end = text_.find("{%", end + 2)) {
      size_t word = end + 2;
      const char before = word < text_.size() ? text_[word] : ' ';
      if (before == '-' || before == '+') ++word;
      while (word < text_.size() && IsBlank(text_[word])) ++word;
      if (!text_.substr(word).starts_with("endraw")) continue;
      const size_t close = text_.find("%}", word);
      if (close == std::string_view::npos) break;
      const std::string_view text = Trimmed(text_.substr(at_, end - at_), '%', before, at_line_start);
      if (!text.empty()) Add(Kind::kText, std::string(text));
      Advance(close + 2 - at_);
      SkipAfter(text_[close - 1], true);
      return absl::OkStatus();
    }
    return Fail("a raw block does not end");
  }

  absl::Status Expression(Kind begin, Kind end, std::string_view end_text) {
    Add(begin, "");
    int depth = 0;
    while (true) {
      while (at_ < text_.size() && IsBlank(text_[at_])) Advance(1);
      if (at_ >= text_.size()) return Fail("a tag does not end");
      const bool sign = text_[at_] == '-' || (text_[at_] == '+' && end == Kind::kBlockEnd);
      if (depth == 0 && (Rest().starts_with(end_text) || (sign && Rest().substr(1).starts_with(end_text)))) {
        const char before = sign ? text_[at_] : ' ';
        Add(end, "");
        Advance(sign ? 3 : 2);
        SkipAfter(before, end == Kind::kBlockEnd);
        return absl::OkStatus();
      }
      ABSL_RETURN_IF_ERROR(Part(depth));
    }
  }

  absl::Status Part(int& depth) {
    const char c = text_[at_];
    if (c == '"' || c == '\'') return String(c);
    if (IsNameStart(c)) {
      size_t end = at_;
      while (end < text_.size() && (IsNameStart(text_[end]) || IsDigit(text_[end]))) ++end;
      Add(Kind::kName, std::string(text_.substr(at_, end - at_)));
      Advance(end - at_);
      return absl::OkStatus();
    }
    if (IsDigit(c)) return Number();
    static constexpr std::array<std::string_view, 6> kTwo{"==", "!=", ">=", "<=", "//", "**"};
    for (const std::string_view two : kTwo) {
      if (!Rest().starts_with(two)) continue;
      Add(Kind::kOperator, std::string(two));
      Advance(2);
      return absl::OkStatus();
    }
    if (std::string_view("+-*/%~[](){}<>=.:|,;").find(c) == std::string_view::npos) {
      return Fail("unexpected character '" + std::string(1, c) + "'");
    }
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (depth < 0) return Fail("a bracket is closed that was not opened");
    Add(Kind::kOperator, std::string(1, c));
    Advance(1);
    return absl::OkStatus();
  }

  absl::Status Number() {
    size_t end = at_;
    const auto digits = [&] {
      while (end < text_.size() && (IsDigit(text_[end]) || text_[end] == '_')) ++end;
    };
    digits();
    bool whole = true;
    if (end + 1 < text_.size() && text_[end] == '.' && IsDigit(text_[end + 1])) {
      whole = false;
      ++end;
      digits();
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      size_t exponent = end + 1;
      if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
      if (exponent < text_.size() && IsDigit(text_[exponent])) {
        whole = false;
        end = exponent;
        digits();
      }
    }
    std::string number(text_.substr(at_, end - at_));
    std::erase(number, '_');
    Add(whole ? Kind::kInteger : Kind::kFloat, std::move(number));
    Advance(end - at_);
    return absl::OkStatus();
  }

  absl::Status String(char quote) {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) return Fail("a string does not end");
    ABSL_ASSIGN_OR_RETURN(std::string value, Unescaped(text_.substr(at_ + 1, end - at_ - 1)));
    Add(Kind::kString, std::move(value));
    Advance(end + 1 - at_);
    return absl::OkStatus();
  }

  // Escapes of Python's string literals.
  absl::StatusOr<std::string> Unescaped(std::string_view raw) const {
    std::string out;
    for (size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\\' || i + 1 == raw.size()) {
        out += raw[i];
        continue;
      }
      const char c = raw[++i];
      constexpr std::string_view kNames = "abfnrtv\\'\"";
      constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\'\"";
      if (const size_t known = kNames.find(c); known != std::string_view::npos) {
        out += kValues[known];
      } else if (c == 'x' || c == 'u' || c == 'U') {
        ABSL_RETURN_IF_ERROR(Hexadecimal(raw, c == 'x' ? 2 : c == 'u' ? 4 : 8, i, out));
      } else if (c >= '0' && c <= '7') {
        uint32_t value = 0;
        size_t digits = 0;
        for (; digits < 3 && i + digits < raw.size() && raw[i + digits] >= '0' && raw[i + digits] <= '7'; ++digits) {
          value = value * 8 + static_cast<uint32_t>(raw[i + digits] - '0');
        }
        i += digits - 1;
        AppendCodePoint(static_cast<int32_t>(value), out);
      } else if (c != '\n') {  // a backslash before a line break joins the lines
        out += '\\';
        out += c;
      }
    }
    return out;
  }

  // `i` is at the letter; ends at the last digit.
  absl::Status Hexadecimal(std::string_view raw, size_t digits, size_t& i, std::string& out) const {
    uint32_t value = 0;
    for (size_t d = 1; d <= digits; ++d) {
      const size_t digit = i + d < raw.size()
                               ? std::string_view("0123456789abcdef").find(static_cast<char>(raw[i + d] | 0x20))
                               : std::string_view::npos;
      if (digit == std::string_view::npos) return Fail("an escape in a string lacks digits");
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    i += digits;
    if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return Fail("an escape in a string is no character");
    AppendCodePoint(static_cast<int32_t>(value), out);
    return absl::OkStatus();
  }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

absl::StatusOr<std::vector<Token>> CutTemplate(std::string_view source) {
  const std::string text = Normalized(source);
  return Lexer(text).Run();
}

}  // namespace bitwright::worker
