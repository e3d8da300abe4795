#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bitwright {

// Rows of cells, for aligned text or whatever else shows them. Widths count columns of a terminal, so "±" is one. Not
// thread-safe.
class TextTable {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kRight;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void Add(std::vector<std::string> cells);  // one per column
  // Two spaces between columns, a line of dashes below the titles, no spaces at line ends. The first column is cut
  // (with "…" in its middle) as far as needed to keep `most_columns`.
  std::string ToText(size_t most_columns = 100) const;

  const std::vector<Column>& columns() const { return columns_; }
  const std::vector<std::vector<std::string>>& rows() const { return rows_; }

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Breaks a paragraph at spaces into lines of at most `most_columns`, each ending with a newline.
std::string Wrap(std::string_view paragraph, size_t most_columns);

// The same to the right of a label, which stands before the first line in `indent` bytes; the others have spaces there.
std::string Beside(std::string_view label, size_t indent, std::string_view paragraph, size_t most_columns);

}  // namespace bitwright
