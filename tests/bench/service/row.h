#pragma once

#include <string>
#include <vector>

namespace bitwright::server {

// Seconds of calls of one kind. Not thread-safe: each thread keeps its own, and they are added up.
class Latencies {
 public:
  void Add(double seconds) { seconds_.push_back(seconds); }
  void Add(const Latencies& more) { seconds_.insert(seconds_.end(), more.seconds_.begin(), more.seconds_.end()); }
  size_t size() const { return seconds_.size(); }
  double Quantile(double part) const;  // nearest rank; 0 without any
  double Max() const { return Quantile(1); }

 private:
  std::vector<double> seconds_;
};

// One row of the table: what a scenario measured, each value beside its target.
class Row {
 public:
  explicit Row(std::string scenario) : text_("| " + std::move(scenario) + " |") {}
  Row& Value(const std::string& name, double value, const std::string& unit);
  Row& AtLeast(const std::string& name, double value, const std::string& unit, double target);
  Row& AtMost(const std::string& name, double value, const std::string& unit, double target);
  void Print() const;  // to standard output, at once

 private:
  Row& Add(const std::string& name, double value, const std::string& unit, const std::string& target);
  std::string text_;
};

}  // namespace bitwright::server
