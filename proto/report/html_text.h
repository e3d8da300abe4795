#pragma once

#include <string>
#include <string_view>

#include "proto/report/text_table.h"

namespace bitwright {

// As the text of an element or the value of an attribute in quotes.
std::string Escaped(std::string_view text);

// <tag class="style">text</tag>; without an attribute where `style` is empty.
std::string Element(std::string_view tag, std::string_view style, std::string_view text);

// A <table> with its caption for those who do not see its heading; columns of numbers are aligned by class "number".
std::string HtmlTable(const TextTable& table, std::string_view caption);

// Below a heading that opens it.
std::string Folded(std::string_view summary, std::string_view html);

}  // namespace bitwright
