#include "proto/report/log_chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/report/svg.h"

namespace bitwright {
namespace {

constexpr double kWidth = 720, kHeight = 360, kLeft = 76, kRight = 24, kTop = 16, kBottom = 48;
constexpr double kRadius = 4.5;

// From numbers to pixels.
class Axis {
 public:
  Axis(bool log, double from, double to) : log_(log), from_(from), to_(to) {}

  void Include(double value) {
    if (!std::isfinite(value) || (log_ && value <= 0)) return;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  bool empty() const { return low_ > high_; }
  // Room on both sides, also around a single value.
  void Widen() {
    if (log_) {
      const double ratio = std::max(1.25, std::pow(high_ / low_, 0.06));
      low_ /= ratio;
      high_ *= ratio;
    } else {
      const double room = std::max(0.05 * (high_ - low_), 0.01 * std::abs(high_) + 1e-12);
      low_ -= room;
      high_ += room;
    }
  }
  double At(double value) const {
    const double share = log_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
    return from_ + share * (to_ - from_);
  }
  std::vector<double> Ticks() const { return log_ ? LogTicks(low_, high_) : LinearTicks(low_, high_, 8); }
  bool Shows(double value) const { return std::isfinite(value) && (!log_ || value > 0); }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  const bool log_;
  const double from_, to_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
};

std::string TickText(double value) { return absl::StrFormat("%.4g", value); }

void DrawAxes(const LogChart& chart, const Axis& x, const Axis& y, Svg& svg) {
  const double bottom = kHeight - kBottom, right = kWidth - kRight;
  for (const double tick : y.Ticks()) {
    svg.Line(kLeft, y.At(tick), right, y.At(tick), "grid");
    svg.Text(kLeft - 8, y.At(tick) + 4, TickText(tick), "tick", Svg::Anchor::kEnd);
  }
  for (const double tick : x.Ticks()) {
    svg.Line(x.At(tick), bottom, x.At(tick), bottom + 5, "axis");
    svg.Text(x.At(tick), bottom + 18, TickText(tick), "tick", Svg::Anchor::kMiddle);
  }
  svg.Line(kLeft, bottom, right, bottom, "axis");
  svg.Line(kLeft, kTop, kLeft, bottom, "axis");
  svg.Text(right, kHeight - 8, chart.x_title, "title", Svg::Anchor::kEnd);
  svg.Text(kLeft + 8, kTop + 4, chart.y_title, "title", Svg::Anchor::kStart);
}

// Where names stand, so that none covers another.
class Names {
 public:
  // The height for one beside a point: above it, or as far below as is free.
  double Place(double x, double y) {
    double at = y - 6;
    for (int step = 0; step < 8 && Covers(x, at); ++step) at = y + 14.0 * (step + 1);
    taken_.emplace_back(x, at);
    return at;
  }

 private:
  bool Covers(double x, double y) const {
    return std::ranges::any_of(taken_, [&](const auto& other) {
      return std::abs(other.first - x) < kNameWidth && std::abs(other.second - y) < kNameHeight;
    });
  }

  static constexpr double kNameWidth = 130, kNameHeight = 13;
  std::vector<std::pair<double, double>> taken_;
};

void DrawPoint(const ChartPoint& point, const Axis& x, const Axis& y, Names& names, Svg& svg) {
  const double at = x.At(point.x);
  if (point.error > 0) {
    const double low = std::max(point.y - point.error, y.low());
    svg.Line(at, y.At(low), at, y.At(point.y + point.error), "error " + point.style);
  }
  svg.Circle(at, y.At(point.y), kRadius, point.style,
             absl::StrFormat("%s: %.4g ± %.2g at %.6g", point.name, point.y, point.error, point.x));
  const bool left = at > kWidth - 200;  // names do not leave the drawing
  svg.Text(at + (left ? -9 : 9), names.Place(at, y.At(point.y)), point.name, "name",
           left ? Svg::Anchor::kEnd : Svg::Anchor::kStart);
}

}  // namespace

std::vector<double> LinearTicks(double low, double high, int wanted) {
  std::vector<double> ticks;
  if (!(high > low) || wanted < 1) return ticks;
  const double rough = (high - low) / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough) step = factor * power;
  }
  for (double i = std::ceil(low / step); i * step <= high; ++i) ticks.push_back(i * step);
  return ticks;
}

std::vector<double> LogTicks(double low, double high) {
  std::vector<double> ticks;
  if (!(low > 0) || !(high > low)) return ticks;
  const double decades = std::log10(high / low);
  for (int power = static_cast<int>(std::floor(std::log10(low))); std::pow(10, power) <= high; ++power) {
    for (int factor = 1; factor < 10; ++factor) {
      const double tick = factor * std::pow(10, power);
      const bool few = decades < 3 && (factor == 2 || factor == 5);
      if (tick >= low && tick <= high && (factor == 1 || few || decades < 0.7)) ticks.push_back(tick);
    }
  }
  return ticks;
}

std::string Draw(const LogChart& chart) {
  Axis x(chart.log_x, kLeft, kWidth - kRight), y(true, kHeight - kBottom, kTop);
  const auto shown = [&](double at, double value) { return x.Shows(at) && y.Shows(value); };
  std::vector<std::pair<double, double>> line;
  std::vector<ChartPoint> points;
  std::ranges::copy_if(chart.line, std::back_inserter(line), [&](const auto& p) { return shown(p.first, p.second); });
  std::ranges::copy_if(chart.points, std::back_inserter(points), [&](const auto& p) { return shown(p.x, p.y); });
  for (const auto& [at, value] : line) {
    x.Include(at);
    y.Include(value);
  }
  for (const ChartPoint& point : points) {
    x.Include(point.x);
    y.Include(point.y);
    y.Include(point.y + point.error);
    y.Include(point.y - point.error);
  }
  if (x.empty() || y.empty()) return "";
  x.Widen();
  y.Widen();
  Svg svg(kWidth, kHeight, chart.label);
  DrawAxes(chart, x, y, svg);
  for (auto& [at, value] : line) {
    at = x.At(at);
    value = y.At(value);
  }
  if (line.size() > 1) svg.Polyline(line, "front");
  Names names;
  for (const ChartPoint& point : points) DrawPoint(point, x, y, names, svg);
  return svg.Build();
}

}  // namespace bitwright
