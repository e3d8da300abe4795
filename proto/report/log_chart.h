#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bitwright {

// What is measured at one place, with one standard error to either side.
struct ChartPoint {
  double x = 0, y = 0;
  double error = 0;   // of y; 0: none is drawn
  std::string name;   // beside the point, and when pointed at
  std::string style;  // a class of the page's style sheet: "selected", "uniform", "mixed"
};

// A chart whose y axis is logarithmic, as losses are compared. What is not above 0 is not drawn.
struct LogChart {
  std::string label;  // in words, what is drawn
  std::string x_title, y_title;
  bool log_x = false;
  std::vector<std::pair<double, double>> line = {};  // drawn from point to point; may be empty
  std::vector<ChartPoint> points = {};
};

// As SVG; empty where there is nothing to draw.
std::string Draw(const LogChart& chart);

// Where an axis from `low` to `high` has its marks: multiples of 1, 2 or 5 times a power of ten, about `wanted` of
// them.
std::vector<double> LinearTicks(double low, double high, int wanted);
// Powers of ten; where these are few, their double and fivefold, and where also these are, all their multiples.
std::vector<double> LogTicks(double low, double high);

}  // namespace bitwright
