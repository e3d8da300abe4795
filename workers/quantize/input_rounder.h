#pragma once

#include <functional>

#include "absl/status/status.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/families/program.h"
#include "workers/quantize/unit_rounder.h"

namespace bitwright::worker {

// What the linears on one input of a unit are rounded with.
struct InputRounder {
  const UnitRounder& rounder;
  size_t first_linear = 0;  // of UnitSpec::linears; as many as linears_of_expert() follow
  int64_t expert = 0;
  double share = 1;     // of all rows that reached the unit: weighs the loss of one input against the others'
  bool reached = true;  // by any row
};

// Of a unit's weights [out, in] the rows of all linears on this input, which consumers compute at once.
inline Matrix FusedRows(const UnitSpec& unit, const InputRounder& input, const Matrix& weights) {
  int64_t first = 0, rows = 0;
  for (size_t l = 0; l < input.first_linear + unit.linears_of_expert(); ++l) {
    (l < input.first_linear ? first : rows) += unit.linears[l].out;
  }
  return weights.Rows(first, rows);
}

// Calls `body` for each input of a unit, one after the other: one factorization is live at a time. An expert that
// calibration did not reach is rounded as if its inputs were uncorrelated and of one size, with share 0. Errors of
// StatisticsFile::Read, UnitRounder::Create, ReadFactor and `body`.
absl::Status ForEachInput(const UnitSpec& unit, const StatisticsFile& statistics, const RoundingOptions& options,
                          Device& device, const std::function<absl::Status(const InputRounder&)>& body);

// Calls each(linear, its number in the unit, its first row within the unit's weights) for the linears on one input.
template <typename F>
void ForEachLinear(const UnitSpec& unit, const InputRounder& input, const F& each) {
  int64_t row = 0;
  for (size_t l = 0; l < input.first_linear + unit.linears_of_expert(); ++l) {
    if (l >= input.first_linear) each(unit.linears[l], l, row);
    row += unit.linears[l].out;
  }
}

}  // namespace bitwright::worker
