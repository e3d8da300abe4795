#pragma once

#include <span>
#include <string>

#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/reports.pb.h"

namespace bitwright {

// A report as one HTML page that needs no other file and runs no script: the verdict first, then what was measured,
// what every unit would cost in every format, the Pareto front, predictions beside measurements, how the time was spent
// and where the numbers come from. `tasks`: of the job, for the time; none leaves that part out. Pure.
std::string HtmlReport(const v1::Report& report, std::span<const v1::Task> tasks);

}  // namespace bitwright
