#pragma once

#include <string>

#include "bitwright/v1/reports.pb.h"

namespace bitwright {

// What every unit would cost in every format, as an HTML table: a row for each unit, a column for each format that some
// unit may take. Cells are shaded by the logarithm of the loss (classes "loss-0", the least, to "loss-9"); the chosen
// one has class "chosen", a measured one a mark. Of more units than kMostMappedUnits the first are shown. Empty where
// the report, as one of an earlier version, has no prices.
std::string SensitivityMap(const v1::Report& report);

inline constexpr int kMostMappedUnits = 1000;

}  // namespace bitwright
