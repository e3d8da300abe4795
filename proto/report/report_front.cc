#include "proto/report/report_front.h"

#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/report/number_text.h"

namespace bitwright {
namespace {

constexpr int kShown = 10;

bool Same(double a, double b) { return std::abs(a - b) <= 1e-9 * std::abs(b); }

// The candidate that is this plan; null: it was not measured. Bytes do not tell: those of a plan are an upper estimate,
// those of a candidate exact.
const v1::Candidate* MeasuredAs(const v1::FrontPoint& point, const v1::Report& report) {
  for (const v1::Candidate& candidate : report.candidates()) {
    if (Same(candidate.average_bits(), point.average_bits()) &&
        Same(candidate.predicted_loss(), point.predicted_loss()))
      return &candidate;
  }
  return nullptr;
}

std::set<int> ShownOf(const v1::Report& report) {
  std::set<int> shown;
  const int points = report.front_size();
  for (int i = 0; i < kShown; ++i) shown.insert(static_cast<int>(std::lround((points - 1.0) * i / (kShown - 1))));
  for (int i = 0; i < points; ++i) {
    if (MeasuredAs(report.front(i), report) != nullptr) shown.insert(i);
  }
  return shown;
}

}  // namespace

std::optional<ReportSection> FrontSection(const v1::Report& report) {
  if (report.front().empty()) return std::nullopt;
  TextTable table({{"bits"}, {"bytes at most"}, {"predicted loss (nats)"}, {"KL divergence (nats)"}});
  const std::set<int> shown = ShownOf(report);
  for (const int i : shown) {
    const v1::FrontPoint& point = report.front(i);
    const v1::Candidate* measured = MeasuredAs(point, report);
    const bool selected = measured != nullptr && measured->name() == report.selected();
    table.Add({(selected ? "*  " : "") + Fixed(point.average_bits(), 3), WithThousands(point.artifact_bytes()),
               Fixed(point.predicted_loss(), 6),
               measured == nullptr
                   ? ""
                   : PlusMinus(measured->kl_divergence().mean(), measured->kl_divergence().standard_error(), 6)});
  }
  return ReportSection{absl::StrCat("The Pareto front as predicted, ", shown.size(), " of its ", report.front_size(),
                                    " plans; those with a KL divergence were measured"),
                       std::move(table)};
}

}  // namespace bitwright
