#pragma once

#include <optional>
#include <string>

#include "proto/report/text_table.h"

namespace bitwright {

// A part of a report, however it is shown.
struct ReportSection {
  std::string title;  // a sentence or less, without a full stop
  TextTable table;
  std::string note = {};  // how to read it, below the table
};

// At most 100 columns wide, with a blank line at its end; empty of none.
std::string SectionText(const std::optional<ReportSection>& section);

}  // namespace bitwright
