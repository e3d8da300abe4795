#pragma once

#include <string>

#include "absl/status/status.h"
#include "server/jobs/expand_context.h"

namespace bitwright::server {

// tokenize[calibration], tokenize[evaluation] and of further texts tokenize[evaluation,t], questions[f] of files of
// questions.
void AddTexts(ExpandContext& context);

// That every text of which something is known has a window. DATA_TOO_SHORT.
absl::Status CheckLengths(const v1::JobSpec& spec, const Facts& facts);

// Key of the task that tokenizes all calibration texts.
std::string CalibrationKey();

}  // namespace bitwright::server
