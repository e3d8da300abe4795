#include "tests/bench/service/row.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>

namespace bitwright::server {
namespace {

std::string Number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, std::abs(value) >= 100 ? "%.0f" : "%.3g", value);
  return text;
}

}  // namespace

double Latencies::Quantile(double part) const {
  if (seconds_.empty()) return 0;
  std::vector<double> sorted = seconds_;
  const size_t rank = std::min(sorted.size() - 1, static_cast<size_t>(part * static_cast<double>(sorted.size())));
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank), sorted.end());
  return sorted[rank];
}

Row& Row::Add(const std::string& name, double value, const std::string& unit, const std::string& target) {
  text_ += " " + name + " " + Number(value) + (unit.empty() ? "" : " " + unit) + target + " |";
  return *this;
}

Row& Row::Value(const std::string& name, double value, const std::string& unit) { return Add(name, value, unit, ""); }

Row& Row::AtLeast(const std::string& name, double value, const std::string& unit, double target) {
  return Add(name, value, unit, " (≥ " + Number(target) + (value >= target ? ")" : ", MISSED)"));
}

Row& Row::AtMost(const std::string& name, double value, const std::string& unit, double target) {
  return Add(name, value, unit, " (≤ " + Number(target) + (value <= target ? ")" : ", MISSED)"));
}

void Row::Print() const {
  std::printf("%s\n", text_.c_str());
  std::fflush(stdout);
}

}  // namespace bitwright::server
