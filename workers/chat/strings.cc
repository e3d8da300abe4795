#include "workers/chat/strings.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdio>

#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

size_t Length(char lead) { return static_cast<size_t>(CodePointBytes(lead)); }

bool Strips(std::string_view character, const std::string* chars) {
  return chars == nullptr ? IsPythonSpace(character) : chars->find(character) != std::string::npos;
}

std::string Cased(std::string_view text, bool upper) {
  icu::UnicodeString units = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  if (upper) {
    units.toUpper(icu::Locale::getRoot());
  } else {
    units.toLower(icu::Locale::getRoot());
  }
  std::string cased;
  units.toUTF8String(cased);
  return cased;
}

// As Python does: white space at the far end stays with what was not split.
std::vector<std::string> SplitAtSpaces(std::string_view text, int64_t most) {
  std::vector<std::string> parts;
  std::string_view rest = StripLeft(text);
  while (!rest.empty() && (most < 0 || static_cast<int64_t>(parts.size()) < most)) {
    size_t end = 0;
    while (end < rest.size() && !IsPythonSpace(rest.substr(end, Length(rest[end])))) end += Length(rest[end]);
    parts.emplace_back(rest.substr(0, end));
    rest = StripLeft(rest.substr(end));
  }
  if (!rest.empty()) parts.emplace_back(rest);
  return parts;
}

std::vector<std::string> SplitAtSpacesFromRight(std::string_view text, int64_t most) {
  std::vector<std::string> parts;
  std::string_view rest = StripRight(text);
  while (!rest.empty() && (most < 0 || static_cast<int64_t>(parts.size()) < most)) {
    size_t begin = 0;  // of the last word
    for (size_t at = 0; at < rest.size(); at += Length(rest[at])) {
      if (IsPythonSpace(rest.substr(at, Length(rest[at])))) begin = at + Length(rest[at]);
    }
    parts.emplace_back(rest.substr(begin));
    rest = StripRight(rest.substr(0, begin));
  }
  if (!rest.empty()) parts.emplace_back(rest);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::string Escaped(std::string_view text, char quote) {
  std::string out;
  for (const char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char hex[8];
      std::snprintf(hex, sizeof(hex), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += hex;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::vector<std::string_view> Characters(std::string_view text) {
  std::vector<std::string_view> characters;
  for (size_t at = 0; at < text.size(); at += characters.back().size()) {
    characters.push_back(text.substr(at, Length(text[at])));
  }
  return characters;
}

int64_t CharacterCount(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

bool IsPythonSpace(std::string_view character) {
  const int32_t c = FirstCodePoint(character);
  return (c >= 0x1c && c <= 0x1f) || IsUnicodeSpace(c);
}

std::string_view StripLeft(std::string_view text, const std::string* chars) {
  while (!text.empty() && Strips(text.substr(0, Length(text[0])), chars)) text.remove_prefix(Length(text[0]));
  return text;
}

std::string_view StripRight(std::string_view text, const std::string* chars) {
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80) --start;
    if (!Strips(text.substr(start), chars)) break;
    text = text.substr(0, start);
  }
  return text;
}

std::string_view Strip(std::string_view text, const std::string* chars) {
  return StripRight(StripLeft(text, chars), chars);
}

std::vector<std::string> Split(std::string_view text, const std::string* separator, int64_t most, bool from_right) {
  if (separator == nullptr) return from_right ? SplitAtSpacesFromRight(text, most) : SplitAtSpaces(text, most);
  std::vector<std::string> parts;
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    const size_t at = from_right ? text.rfind(*separator) : text.find(*separator);
    if (at == std::string_view::npos) break;
    const std::string_view after = text.substr(at + separator->size());
    parts.emplace_back(from_right ? after : text.substr(0, at));
    text = from_right ? text.substr(0, at) : after;
  }
  parts.emplace_back(text);
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string> SplitLines(std::string_view text, bool keep_ends) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find_first_of("\r\n");
    if (end == std::string_view::npos) {
      lines.emplace_back(text);
      break;
    }
    const size_t after = end + (text.substr(end).starts_with("\r\n") ? 2 : 1);
    lines.emplace_back(text.substr(0, keep_ends ? after : end));
    text.remove_prefix(after);
  }
  return lines;
}

std::string ReplaceAll(std::string_view text, std::string_view old, std::string_view by, int64_t most) {
  std::string out;
  int64_t done = 0;
  if (old.empty()) {  // between all characters, as Python does
    for (const std::string_view c : Characters(text)) {
      if (most < 0 || done++ < most) out += by;
      out += c;
    }
    if (most < 0 || done < most) out += by;
    return out;
  }
  while (most < 0 || done < most) {
    const size_t at = text.find(old);
    if (at == std::string_view::npos) break;
    out.append(text.substr(0, at)).append(by);
    text.remove_prefix(at + old.size());
    ++done;
  }
  return out.append(text);
}

std::string UpperCase(std::string_view text) { return Cased(text, true); }
std::string LowerCase(std::string_view text) { return Cased(text, false); }

std::string CapitalizedText(std::string_view text) {
  if (text.empty()) return "";
  const size_t first = Length(text[0]);
  return UpperCase(text.substr(0, first)) + LowerCase(text.substr(first));
}

std::string TitleCase(std::string_view text, bool as_filter) {
  constexpr std::string_view kFilterEnds = "-([{<";
  std::string out;
  bool inside = false;
  for (const std::string_view c : Characters(text)) {
    out += inside ? LowerCase(c) : UpperCase(c);
    inside = as_filter ? !IsPythonSpace(c) && kFilterEnds.find(c) == std::string_view::npos
                       : static_cast<bool>(u_isalpha(FirstCodePoint(c)));
  }
  return out;
}

std::string QuotedAsPython(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const bool has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  return quote + Escaped(text, quote) + quote;
}

std::string QuotedAsJson(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20) {
      out += c;
    } else if (const size_t known = std::string_view("\b\f\n\r\t").find(c); known != std::string_view::npos) {
      out += '\\';
      out += "bfnrt"[known];
    } else {
      char hex[8];
      std::snprintf(hex, sizeof(hex), "\\u%04x", static_cast<unsigned>(byte));
      out += hex;
    }
  }
  return out + '"';
}

}  // namespace bitwright::worker
