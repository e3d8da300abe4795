#include "workers/tokenizer/pattern_syntax.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/pattern.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kWordItems = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
// Outside of classes Oniguruma looks Latin-1 up in a table of its own, which has its superscript digits and fractions.
constexpr std::string_view kLatinWordItems = "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}";
constexpr std::string_view kSupported =
    "literals, classes, \\s \\d \\w \\h \\b \\A \\z \\p{..}, groups (?: (?i: (?> lookaround, ? * + {n,m}, lazy and "
    "possessive";

// Long names of general categories that PCRE2 does not know.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kCategoryNames = {{
    {"letter", "L"},
    {"mark", "M"},
    {"number", "N"},
    {"punctuation", "P"},
    {"symbol", "S"},
    {"separator", "Z"},
    {"other", "C"},
    {"any", "Any"},
}};

class Translator {
 public:
  Translator(std::string_view field, std::string_view pattern) : field_(field), pattern_(pattern) {}

  absl::StatusOr<std::string> Run() {
    while (!AtEnd()) ABSL_RETURN_IF_ERROR(Item());
    return std::move(out_);
  }

 private:
  bool AtEnd() const { return at_ >= pattern_.size(); }
  char Peek(size_t ahead = 0) const { return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0'; }
  char Next() { return pattern_[at_++]; }
  void Emit(std::string_view text) { out_.append(text); }

  absl::Status Refuse(std::string_view construct) const {
    return TokenizerUnsupportedError(
        field_,
        absl::StrCat("the regular expression construct ", absl::string_view(construct.data(), construct.size())),
        kSupported);
  }
  absl::Status Broken(std::string_view problem) const {
    return TokenizerPatternInvalidError(field_, pattern_, problem);
  }

  absl::Status Item() {
    const char c = Peek();
    switch (c) {
      case '\\':
        ++at_;
        return Escape(/*in_class=*/false);
      case '[':
        ++at_;
        return Class();
      case '(':
        ++at_;
        outer_caseless_.push_back(caseless_);
        return GroupStart();
      case ')':
        ++at_;
        if (outer_caseless_.empty()) return Broken("a parenthesis closes no group");
        caseless_ = outer_caseless_.back();
        outer_caseless_.pop_back();
        Emit(")");
        return absl::OkStatus();
      case '{':
        ++at_;
        return Interval();
      default:
        Emit({&c, 1});
        ++at_;
        return absl::OkStatus();
    }
  }

  absl::Status GroupStart() {
    if (Peek() == '*') return Refuse("(*");
    Emit("(");
    if (Peek() != '?') return absl::OkStatus();
    ++at_;
    for (std::string_view kind : {":", "=", "!", ">", "<=", "<!"}) {
      if (pattern_.substr(at_).starts_with(kind)) {
        at_ += kind.size();
        Emit("?");
        Emit(kind);
        return absl::OkStatus();
      }
    }
    return Options();
  }

  // After "(?": options up to ":" or ")".
  absl::Status Options() {
    const bool at_start = at_ == 2;
    std::string options = "?";
    bool on = true;
    while (!AtEnd() && Peek() != ':' && Peek() != ')') {
      const char c = Next();
      if (c != 'i' && c != 'm' && c != '-') return Refuse(absl::StrCat("(?", std::string(1, c)));
      if (c == '-') on = false;
      if (c == 'i') caseless_ = on;
      options += c == 'm' ? 's' : c;
    }
    if (AtEnd()) return Broken("it ends inside a group");
    if (Peek() == ')' && !at_start) return Refuse("inline options in the middle, such as a(?i)b");
    if (Peek() == ')') outer_caseless_.pop_back();  // holds for the rest of the pattern
    options += Next();
    Emit(options);
    return absl::OkStatus();
  }

  // After "{": an interval, or the character itself where it is none.
  absl::Status Interval() {
    const size_t close = pattern_.find('}', at_);
    const std::string_view inside = close == std::string_view::npos ? "" : pattern_.substr(at_, close - at_);
    const size_t comma = inside.find(',');
    const std::string_view low = inside.substr(0, comma);
    const std::string_view high = comma == std::string_view::npos ? low : inside.substr(comma + 1);
    const auto digits = [](std::string_view text) {
      return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    if (!digits(low) || !digits(high) || (low.empty() && high.empty())) {
      Emit("\\{");
      return absl::OkStatus();
    }
    for (std::string_view bound : {low, high}) {
      int value = 0;
      if (!bound.empty() &&
          (!absl::SimpleAtoi(absl::string_view(bound.data(), bound.size()), &value) || value > kMaxRepeat)) {
        return Refuse(absl::StrCat("an interval above ", kMaxRepeat));
      }
    }
    at_ = close + 1;
    // Oniguruma reads x{n,m}+ as (x{n,m})+ and x{n}? as (x{n})?, PCRE2 as possessive and lazy.
    if (Peek() == '+' || Peek() == '*' || (Peek() == '?' && comma == std::string_view::npos)) {
      return Refuse("a quantifier after an interval, such as x{1,3}+");
    }
    Emit("{");
    Emit(low.empty() ? "0" : low);
    if (comma != std::string_view::npos) {
      Emit(",");
      Emit(high);
    }
    Emit("}");
    return absl::OkStatus();
  }

  absl::Status Class() {
    Emit("[");
    if (Peek() == '^') Emit({&pattern_[at_++], 1});
    bool first = true;
    while (!AtEnd()) {
      const char c = Next();
      if (c == ']' && !first) {
        Emit("]");
        return absl::OkStatus();
      }
      first = false;
      if (c == '[') return Refuse("a class inside a class");
      if (c == '&' && Peek() == '&') return Refuse("an intersection of classes");
      if (c == '\\') {
        ABSL_RETURN_IF_ERROR(Escape(/*in_class=*/true));
      } else if (c == ']') {
        Emit("\\]");
      } else {
        Emit({&c, 1});
      }
    }
    return Broken("it ends inside a class");
  }

  absl::Status Escape(bool in_class) {
    if (AtEnd()) return Broken("it ends in a backslash");
    const char c = Next();
    switch (c) {
      case 's':
        Emit("\\p{White_Space}");
        return absl::OkStatus();
      case 'S':
        Emit("\\P{White_Space}");
        return absl::OkStatus();
      case 'd':
        Emit("\\p{Nd}");
        return absl::OkStatus();
      case 'D':
        Emit("\\P{Nd}");
        return absl::OkStatus();
      case 'w':
        Emit(in_class ? std::string(kWordItems) : Word());
        return absl::OkStatus();
      case 'h':
        Emit(in_class ? "0-9A-Fa-f" : "[0-9A-Fa-f]");
        return absl::OkStatus();
      case 'v':
        Emit("\\x0b");
        return absl::OkStatus();
      case 'n':
      case 'r':
      case 't':
      case 'f':
      case 'a':
      case 'e':
        Emit(std::string{'\\', c});
        return absl::OkStatus();
      case 'x':
        return HexDigits();
      case 'u':
        return FourHexDigits();
      case 'p':
      case 'P':
        return Property(c == 'P', in_class);
      default:
        break;
    }
    if (!in_class) {
      if (c == 'W') return EmitOk(Word(/*negated=*/true));
      if (c == 'H') return EmitOk("[^0-9A-Fa-f]");
      if (c == 'b') return EmitOk("(?:(?<=" + Word() + ")(?!" + Word() + ")|(?<!" + Word() + ")(?=" + Word() + "))");
      if (c == 'B') return EmitOk("(?:(?<=" + Word() + ")(?=" + Word() + ")|(?<!" + Word() + ")(?!" + Word() + "))");
      if (c == 'A' || c == 'z' || c == 'Z') return EmitOk(std::string{'\\', c});
    }
    if (std::isalnum(static_cast<unsigned char>(c))) return Refuse(std::string{'\\', c});
    // An escaped character of several bytes stands for itself.
    if (static_cast<unsigned char>(c) < 0x80) Emit("\\");
    return EmitOk({&c, 1});
  }

  absl::Status EmitOk(std::string_view text) {
    Emit(text);
    return absl::OkStatus();
  }
  // Outside of a class.
  static std::string Word(bool negated = false) {
    std::string word(negated ? "[^" : "[");
    return word.append(kWordItems).append(kLatinWordItems).append("]");
  }

  absl::Status FourHexDigits() {
    std::string digits;
    while (digits.size() < 4 && std::isxdigit(static_cast<unsigned char>(Peek()))) digits += Next();
    if (digits.size() < 4) return Broken("\\u needs four hexadecimal digits");
    return EmitOk("\\x{" + digits + "}");
  }

  absl::Status HexDigits() {
    std::string digits;
    const bool braces = Peek() == '{';
    if (braces) ++at_;
    while (digits.size() < (braces ? 8u : 2u) && std::isxdigit(static_cast<unsigned char>(Peek()))) digits += Next();
    if (digits.empty() || (braces && Peek() != '}')) return Broken("\\x needs hexadecimal digits");
    if (braces) ++at_;
    // Oniguruma takes \x80 and up for a byte of a character.
    if (!braces && digits.size() == 2 && digits[0] >= '8') return Refuse("\\x80 and above without braces");
    return EmitOk("\\x{" + digits + "}");
  }

  absl::Status Property(bool negated, bool in_class) {
    if (Peek() != '{') return Refuse("\\p without braces");
    ++at_;
    if (Peek() == '^') {
      negated = !negated;
      ++at_;
    }
    std::string name;
    while (!AtEnd() && Peek() != '}') name += Next();
    if (AtEnd()) return Broken("it ends inside a property");
    ++at_;
    std::string key;
    for (char c : name) {
      if (c == '_' || c == ' ' || c == '-') continue;
      if (!std::isalnum(static_cast<unsigned char>(c))) return Refuse("\\p{" + name + "}");
      key += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    for (const auto& [long_name, category] : kCategoryNames) {
      if (key == long_name) name = category;
    }
    // Oniguruma adds the other cases of a class's properties, PCRE2 does not; one-letter categories have them already.
    if (caseless_ && in_class && name.size() > 1) return Refuse("a property of case in a class that ignores case");
    // A script is meant as the property Script; PCRE2 would take Script_Extensions.
    if (IsPropertyName("sc:" + name)) name = "sc:" + name;
    if (!IsPropertyName(name)) return Broken("\\p{" + name + "} is no property that we know");
    return EmitOk((negated ? "\\P{" : "\\p{") + name + "}");
  }

  std::string_view field_;
  std::string_view pattern_;
  size_t at_ = 0;
  std::string out_;
  bool caseless_ = false;
  std::vector<bool> outer_caseless_;  // of the open groups
};

}  // namespace

absl::StatusOr<std::string> TranslatePattern(std::string_view field, std::string_view pattern) {
  return Translator(field, pattern).Run();
}

}  // namespace bitwright::worker
