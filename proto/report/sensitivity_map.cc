#include "proto/report/sensitivity_map.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/report/html_text.h"
#include "proto/report/number_text.h"

namespace bitwright {
namespace {

using Unit = v1::Report::Unit;
constexpr int kShades = 10;
constexpr size_t kNameColumns = 300;

// Bits per weight decide the order of columns, and bytes tell them: of one unit, all formats are of the same weights.
std::vector<std::string> FormatsOf(const v1::Report& report) {
  std::map<std::string, double> share;  // of the bytes of the unit's largest option
  for (const Unit& unit : report.units()) {
    int64_t most = 1;
    for (const Unit::Option& option : unit.options()) most = std::max(most, option.bytes());
    for (const Unit::Option& option : unit.options()) {
      share.emplace(option.format(), static_cast<double>(option.bytes()) / static_cast<double>(most));
    }
  }
  std::vector<std::string> formats;
  formats.reserve(share.size());
  for (const auto& [format, bytes] : share) formats.push_back(format);
  std::ranges::stable_sort(formats, {}, [&](const std::string& format) { return share[format]; });
  return formats;
}

// From the logarithm of a loss to a class.
class Shades {
 public:
  explicit Shades(const v1::Report& report) {
    for (const Unit& unit : report.units()) {
      for (const Unit::Option& option : unit.options()) {
        if (option.loss() <= 0) continue;
        const double log = std::log(option.loss());
        low_ = seen_ ? std::min(low_, log) : log;
        high_ = seen_ ? std::max(high_, log) : log;
        seen_ = true;
      }
    }
  }
  std::string Of(double loss) const {
    if (loss <= 0 || high_ <= low_) return "loss-0";
    const double share = (std::log(loss) - low_) / (high_ - low_);
    return absl::StrCat("loss-", std::clamp(static_cast<int>(share * kShades), 0, kShades - 1));
  }

 private:
  bool seen_ = false;
  double low_ = 0, high_ = 0;
};

std::string Cell(const Unit& unit, const std::string& format, const Shades& shades) {
  const auto option = std::ranges::find(unit.options(), format, &Unit::Option::format);
  if (option == unit.options().end()) return "<td></td>";
  const std::vector<std::string> own = absl::StrSplit(unit.format(), '+');  // of its linears, where they differ
  const bool chosen = std::ranges::count(own, format) > 0;
  return absl::StrCat("<td class=\"", shades.Of(option->loss()), chosen ? " chosen" : "", "\">",
                      Scientific(option->loss(), 1), option->measured() ? " m" : "", "</td>");
}

}  // namespace

std::string SensitivityMap(const v1::Report& report) {
  const std::vector<std::string> formats = FormatsOf(report);
  if (formats.empty()) return "";
  const Shades shades(report);
  std::string html = "<div class=\"scroll\"><table class=\"map\">\n";
  html += Element("caption", "", "Predicted loss of each unit in each format, nats per token");
  html += "\n<thead><tr><th scope=\"col\">unit</th>";
  for (const std::string& format : formats) absl::StrAppend(&html, "<th scope=\"col\">", Escaped(format), "</th>");
  html += "</tr></thead>\n<tbody>\n";
  const int shown = std::min(report.units_size(), kMostMappedUnits);
  for (int u = 0; u < shown; ++u) {
    const Unit& unit = report.units(u);
    absl::StrAppend(&html, "<tr><th scope=\"row\">", Escaped(Printable(unit.name(), kNameColumns)), "</th>");
    for (const std::string& format : formats) html += Cell(unit, format, shades);
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n";
  if (shown < report.units_size()) {
    html += Element("p", "note",
                    absl::StrCat("The first ", shown, " of ", report.units_size(), " units; report.json has all."));
  }
  return html;
}

}  // namespace bitwright
