#include "proto/report/text_table.h"

#include <algorithm>
#include <sstream>

#include "proto/base/log.h"
#include "proto/report/number_text.h"

namespace bitwright {
namespace {

constexpr size_t kNarrowest = 12;

// Byte at which the code point of that column begins.
size_t ByteOfColumn(std::string_view text, size_t column) {
  size_t byte = 0;
  for (size_t seen = 0; byte < text.size(); ++byte) {
    const bool begins = (static_cast<unsigned char>(text[byte]) & 0xC0) != 0x80;
    if (begins && seen++ == column) break;
  }
  return byte;
}

// Names of units differ at their ends as much as at their beginnings.
std::string CutMiddle(const std::string& text, size_t width) {
  const size_t columns = Columns(text);
  if (columns <= width) return text;
  const size_t head = (width - 1) / 2;
  const size_t tail = width - 1 - head;
  return text.substr(0, ByteOfColumn(text, head)) + "…" + text.substr(ByteOfColumn(text, columns - tail));
}

void AppendCell(std::string& line, const std::string& cell, size_t width, TextTable::Align align) {
  const std::string padding(width - std::min(width, Columns(cell)), ' ');
  line += align == TextTable::Align::kLeft ? cell + padding : padding + cell;
}

void EndLine(std::string& text) {
  text.erase(text.find_last_not_of(' ') + 1);
  text += '\n';
}

}  // namespace

void TextTable::Add(std::vector<std::string> cells) {
  CHECK(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::ToText(size_t most_columns) const {
  std::vector<size_t> widths;
  size_t total = 0;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = Columns(columns_[c].title);
    for (const auto& row : rows_) width = std::max(width, Columns(row[c]));
    widths.push_back(width);
    total += width + (c > 0 ? 2 : 0);
  }
  if (total > most_columns) {
    const size_t excess = total - most_columns;
    widths[0] = widths[0] > excess + kNarrowest ? widths[0] - excess : std::min(widths[0], kNarrowest);
  }

  std::string text;
  const auto append_row = [&](const auto& cell_of) {
    std::string line;
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (c > 0) line += "  ";
      AppendCell(line, c == 0 ? CutMiddle(cell_of(c), widths[c]) : cell_of(c), widths[c], columns_[c].align);
    }
    EndLine(line);
    text += line;
  };
  append_row([&](size_t c) { return columns_[c].title; });
  append_row([&](size_t c) { return std::string(widths[c], '-'); });
  for (const auto& row : rows_) append_row([&](size_t c) { return row[c]; });
  return text;
}

std::string Wrap(std::string_view paragraph, size_t most_columns) {
  std::string text;
  std::string line;
  while (!paragraph.empty()) {
    const size_t end = std::min(paragraph.find(' '), paragraph.size());
    const std::string word(paragraph.substr(0, end));
    paragraph.remove_prefix(std::min(end + 1, paragraph.size()));
    if (word.empty()) continue;
    if (!line.empty() && Columns(line) + 1 + Columns(word) > most_columns) {
      text += line + '\n';
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return line.empty() ? text : text + line + '\n';
}

std::string Beside(std::string_view label, size_t indent, std::string_view paragraph, size_t most_columns) {
  std::string text;
  std::istringstream lines(Wrap(paragraph, most_columns - indent));
  for (std::string line; std::getline(lines, line); label = "") {
    std::string begin(label);
    begin.resize(indent, ' ');
    text.append(begin).append(line).append("\n");
  }
  return text;
}

}  // namespace bitwright
