#include "proto/report/svg.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/report/html_text.h"

namespace bitwright {
namespace {

std::string Attribute(const char* name, double value) { return absl::StrFormat(" %s=\"%.2f\"", name, value); }

std::string Class(std::string_view style) { return absl::StrCat(" class=\"", std::string(style), "\""); }

}  // namespace

Svg::Svg(double width, double height, std::string_view label)
    : text_(absl::StrFormat("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n", width, height,
                            Escaped(label))) {}

void Svg::Line(double x1, double y1, double x2, double y2, std::string_view style) {
  Shape(absl::StrCat("line", Class(style), Attribute("x1", x1), Attribute("y1", y1), Attribute("x2", x2),
                     Attribute("y2", y2)),
        "");
}

void Svg::Polyline(const std::vector<std::pair<double, double>>& points, std::string_view style) {
  std::string list;
  for (const auto& [x, y] : points) absl::StrAppendFormat(&list, "%s%.2f,%.2f", list.empty() ? "" : " ", x, y);
  Shape(absl::StrCat("polyline", Class(style), " points=\"", list, "\""), "");
}

void Svg::Circle(double x, double y, double radius, std::string_view style, std::string_view title) {
  Shape(absl::StrCat("circle", Class(style), Attribute("cx", x), Attribute("cy", y), Attribute("r", radius)), title);
}

void Svg::Rect(double x, double y, double width, double height, std::string_view style, std::string_view title) {
  Shape(absl::StrCat("rect", Class(style), Attribute("x", x), Attribute("y", y), Attribute("width", width),
                     Attribute("height", height)),
        title);
}

void Svg::Text(double x, double y, std::string_view text, std::string_view style, Anchor anchor) {
  static constexpr const char* kAnchors[] = {"start", "middle", "end"};
  absl::StrAppend(&text_, "<text", Class(style), Attribute("x", x), Attribute("y", y), " text-anchor=\"",
                  kAnchors[static_cast<int>(anchor)], "\">", Escaped(text), "</text>\n");
}

void Svg::Shape(std::string_view shape, std::string_view title) {
  const std::string open(shape);
  if (title.empty()) {
    absl::StrAppend(&text_, "<", open, "/>\n");
  } else {
    absl::StrAppend(&text_, "<", open, ">", Element("title", "", title), "</", open.substr(0, open.find(' ')), ">\n");
  }
}

}  // namespace bitwright
