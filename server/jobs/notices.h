#pragma once

#include <string>
#include <vector>

#include "server/jobs/job_graph.h"

namespace bitwright::server {

// What a person should know of the data of a job, as far as the facts lead: the notices of both tokenizations, then
//   TEXT_SHORT       fewer whole windows than were asked for
//   TEXTS_IDENTICAL  one blob for both uses
//   TEXTS_OVERLAP    more than kOverlapShare of an evaluation text is in the calibration texts, by their sketches
// Pure.
inline constexpr double kOverlapShare = 0.05;
std::vector<v1::Notice> DataNotices(const v1::JobSpec& spec, const Facts& facts);

// Estimated share of the evaluation text's runs of tokens that are in the calibration text too, 0 … 1, from bottom-k
// sketches (Broder, "On the resemblance and containment of documents", 1997).
double SharedPart(const v1::TokenizeSummary& calibration, const v1::TokenizeSummary& evaluation);

}  // namespace bitwright::server
