#pragma once

#include <cstdint>
#include <string_view>

namespace bitwright::worker {

// `text` without blanks and tabs around it, and without carriage returns behind it.
std::string_view Trimmed(std::string_view text);

// The lines of a text that are not blank, trimmed, one after the other.
class TextLines {
 public:
  explicit TextLines(std::string_view text) : rest_(text) {}

  // False: there is no further one.
  bool Next();
  std::string_view line() const { return line_; }
  int64_t number() const { return number_; }  // counts from 1, blank lines included

 private:
  std::string_view rest_;
  std::string_view line_;
  int64_t number_ = 0;
};

}  // namespace bitwright::worker
