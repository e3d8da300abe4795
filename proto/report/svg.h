#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bitwright {

// A drawing in SVG, to stand within an HTML page, whose style sheet knows the classes that shapes are given. The unit
// is a pixel of the drawing, which the page may scale. Not thread-safe.
class Svg {
 public:
  enum class Anchor { kStart, kMiddle, kEnd };

  // `label` says in words what is drawn.
  Svg(double width, double height, std::string_view label);

  void Line(double x1, double y1, double x2, double y2, std::string_view style);
  void Polyline(const std::vector<std::pair<double, double>>& points, std::string_view style);
  // `title`, where there is one, is shown when pointed at.
  void Circle(double x, double y, double radius, std::string_view style, std::string_view title);
  void Rect(double x, double y, double width, double height, std::string_view style, std::string_view title);
  void Text(double x, double y, std::string_view text, std::string_view style, Anchor anchor);

  std::string Build() const { return text_ + "</svg>\n"; }

 private:
  void Shape(std::string_view shape, std::string_view title);

  std::string text_;
};

}  // namespace bitwright
