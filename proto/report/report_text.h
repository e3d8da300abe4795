#pragma once

#include <string>

#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/reports.pb.h"

namespace bitwright {

// A report for a person: the verdict first, then the candidates, the allocation's certificate, the units of the
// selected plan and where the numbers come from. At most 100 columns wide; a pure function of the report, so the same
// report gives the same text. Control characters in names are shown as '?'.
std::string ReportText(const v1::Report& report);

// How the time of a job was spent. Not part of the report: it differs from run to run.
std::string StageTableText(const v1::Job& job);

}  // namespace bitwright
