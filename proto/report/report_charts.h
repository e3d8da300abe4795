#pragma once

#include <string>

#include "bitwright/v1/reports.pb.h"

// Drawings of a report, as SVG. Empty where there is nothing to draw.
namespace bitwright {

// The Pareto front as predicted, and the candidates as measured, over the artifact's bytes.
std::string FrontChart(const v1::Report& report);

// What was predicted of each plan against what it was measured at; on the line both are the same.
std::string PredictionChart(const v1::Report& report);

// Bits of each unit's format in the selected plan, in order of depth.
std::string BitsChart(const v1::Report& report);

}  // namespace bitwright
