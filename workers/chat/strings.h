#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Strings as Python has them: sequences of code points, held as well-formed UTF-8.
namespace bitwright::worker {

std::vector<std::string_view> Characters(std::string_view text);
int64_t CharacterCount(std::string_view text);

// str.isspace() of one character.
bool IsPythonSpace(std::string_view character);

// str.strip(): `chars` null: white space.
std::string_view StripLeft(std::string_view text, const std::string* chars = nullptr);
std::string_view StripRight(std::string_view text, const std::string* chars = nullptr);
std::string_view Strip(std::string_view text, const std::string* chars = nullptr);

// str.split(): `separator` null: runs of white space. `most` splits at most; negative: all.
std::vector<std::string> Split(std::string_view text, const std::string* separator, int64_t most, bool from_right);
std::vector<std::string> SplitLines(std::string_view text, bool keep_ends);

// str.replace(): at most `most` of them; negative: all.
std::string ReplaceAll(std::string_view text, std::string_view old, std::string_view by, int64_t most);

std::string UpperCase(std::string_view text);
std::string LowerCase(std::string_view text);
std::string CapitalizedText(std::string_view text);  // str.capitalize()
// Every word begins with an upper-case letter. Words end where the letters do (str.title()), or only at white space and
// hyphens and brackets (Jinja's filter `title`).
std::string TitleCase(std::string_view text, bool as_filter);

// repr() of a string.
std::string QuotedAsPython(std::string_view text);
// A string of JSON, characters outside of ASCII as they are.
std::string QuotedAsJson(std::string_view text);

}  // namespace bitwright::worker
