#include "proto/report/html_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace bitwright {
namespace {

std::string Row(const std::vector<TextTable::Column>& columns, const std::vector<std::string>& cells) {
  std::string html = "<tr>";
  for (size_t c = 0; c < cells.size(); ++c) {
    const std::string_view style = columns[c].align == TextTable::Align::kRight ? "number" : "";
    // A name heads its row.
    const bool heads = c == 0 && style.empty();
    std::string cell = Element(heads ? "th" : "td", style, cells[c]);
    if (heads) cell.replace(0, 3, "<th scope=\"row\"");
    html += cell;
  }
  return html + "</tr>\n";
}

}  // namespace

std::string Escaped(std::string_view text) {
  return absl::StrReplaceAll(std::string(text),
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string Element(std::string_view tag, std::string_view style, std::string_view text) {
  const std::string name(tag);
  const std::string attribute = style.empty() ? "" : absl::StrCat(" class=\"", std::string(style), "\"");
  return absl::StrCat("<", name, attribute, ">", Escaped(text), "</", name, ">");
}

std::string HtmlTable(const TextTable& table, std::string_view caption) {
  std::string html = "<div class=\"scroll\"><table>\n" + Element("caption", "", caption) + "\n<thead><tr>";
  for (const TextTable::Column& column : table.columns()) {
    const bool number = column.align == TextTable::Align::kRight;
    absl::StrAppend(&html, "<th scope=\"col\"", number ? " class=\"number\"" : "", ">", Escaped(column.title), "</th>");
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : table.rows()) html += Row(table.columns(), row);
  return html + "</tbody></table></div>\n";
}

std::string Folded(std::string_view summary, std::string_view html) {
  return absl::StrCat("<details>", Element("summary", "", summary), "\n", std::string(html), "</details>\n");
}

}  // namespace bitwright
