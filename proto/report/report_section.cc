#include "proto/report/report_section.h"

#include "absl/strings/str_cat.h"

namespace bitwright {

std::string SectionText(const std::optional<ReportSection>& section) {
  if (!section) return "";
  return absl::StrCat(section->title, "\n\n", section->table.ToText(), section->note.empty() ? "" : "\n", section->note,
                      section->note.empty() ? "" : "\n", "\n");
}

}  // namespace bitwright
