#pragma once

#include <span>
#include <vector>

namespace bitwright::worker {

// What the curvature said of one unit in one format, and what was measured.
struct LossCheck {
  int bits = 0;
  double measured = 0;   // nats of KL divergence per token
  double predicted = 0;  // of the same
};

// All checks of one width together.
struct WidthCheck {
  int bits = 0;
  int units = 0;
  double measured = 0, predicted = 0;  // sums

  // measured / predicted; 0 unless both are above 0: they say nothing then.
  double Factor() const;
};

// By width, rising.
std::vector<WidthCheck> SumByWidth(std::span<const LossCheck> checks);

// What predictions of a width are multiplied by: the factor of that width, else of the nearest width that has one, of
// two equally near ones the larger. 1 where none has. A quadratic prediction is about two thirds of what is measured
// (tests/bench/README.md), more or less by width, and only what differs between widths moves an allocation.
double FactorOf(int bits, std::span<const WidthCheck> widths);

}  // namespace bitwright::worker
