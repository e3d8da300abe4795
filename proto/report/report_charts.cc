#include "proto/report/report_charts.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/report/log_chart.h"
#include "proto/report/number_text.h"
#include "proto/report/svg.h"

namespace bitwright {
namespace {

constexpr double kMega = 1e6;

std::string StyleOf(const v1::Report& report, const std::string& name, v1::PlanKind kind) {
  if (name == report.selected()) return "selected";
  return kind == v1::PLAN_KIND_UNIFORM ? "uniform" : "mixed";
}

}  // namespace

std::string FrontChart(const v1::Report& report) {
  LogChart chart{.label = "Loss of plans over the size of their artifacts",
                 .x_title = "artifact, MB",
                 .y_title = "KL divergence, nats per token"};
  for (const v1::FrontPoint& point : report.front()) {
    chart.line.emplace_back(static_cast<double>(point.artifact_bytes()) / kMega, point.predicted_loss());
  }
  for (const v1::Candidate& candidate : report.candidates()) {
    chart.points.push_back({static_cast<double>(candidate.artifact_bytes()) / kMega, candidate.kl_divergence().mean(),
                            candidate.kl_divergence().standard_error(), candidate.name(),
                            StyleOf(report, candidate.name(), candidate.kind())});
  }
  return Draw(chart);
}

std::string PredictionChart(const v1::Report& report) {
  LogChart chart{.label = "Measured loss of plans over the predicted one",
                 .x_title = "predicted, nats per token",
                 .y_title = "measured",
                 .log_x = true};
  for (const v1::Candidate& candidate : report.candidates()) {
    chart.points.push_back({candidate.predicted_loss(), candidate.kl_divergence().mean(),
                            candidate.kl_divergence().standard_error(), candidate.name(),
                            StyleOf(report, candidate.name(), candidate.kind())});
  }
  double low = 0, high = 0;
  for (const ChartPoint& point : chart.points) {
    const auto [less, more] = std::minmax(point.x, point.y);
    if (less <= 0) continue;
    low = low > 0 ? std::min(low, less) : less;
    high = std::max(high, more);
  }
  if (low > 0) chart.line = {{low, low}, {high, high}};
  return Draw(chart);
}

std::string BitsChart(const v1::Report& report) {
  constexpr double kWidth = 720, kHeight = 160, kLeft = 32, kBottom = 20, kTop = 8;
  int most = 0;
  for (const v1::Report::Unit& unit : report.units()) most = std::max(most, unit.bits());
  if (most == 0) return "";
  const double step = (kWidth - kLeft) / report.units_size();
  const double scale = (kHeight - kBottom - kTop) / most;
  Svg svg(kWidth, kHeight, "Bits of each unit of the selected plan, from the first block to the last");
  for (int bits = 0; bits <= most; bits += most > 8 ? 4 : 2) {
    const double y = kHeight - kBottom - scale * bits;
    svg.Line(kLeft, y, kWidth, y, "grid");
    svg.Text(kLeft - 6, y + 4, absl::StrCat(bits), "tick", Svg::Anchor::kEnd);
  }
  for (int u = 0; u < report.units_size(); ++u) {
    const v1::Report::Unit& unit = report.units(u);
    const double height = scale * unit.bits();
    svg.Rect(kLeft + step * u, kHeight - kBottom - height, std::max(step - 1, 0.5), height, "bits",
             absl::StrCat(Printable(unit.name(), 300), ": ", unit.format()));
  }
  svg.Text(kLeft, kHeight - 6, "first unit", "tick", Svg::Anchor::kStart);
  svg.Text(kWidth, kHeight - 6, "last unit", "tick", Svg::Anchor::kEnd);
  return svg.Build();
}

}  // namespace bitwright
