#pragma once

#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "server/web/gateway.h"
#include "server/web/http.h"
#include "server/web/view.h"

namespace bitwright::server {

// What a text may be used for; the names of the form's fields.
inline constexpr char kCalibration[] = "calibration";
inline constexpr char kEvaluation[] = "evaluation";

// The texts that earlier jobs used, each once, as choices of the form, and the sample that is part of the program,
// which is for calibration alone. `chosen`: what the form has. Pure.
View::Items TextChoices(std::span<const v1::Job> jobs, const std::string& use, const std::string& chosen);

// The text of a form: a file that came with it, which is uploaded, or the one that was chosen. TEXT_MISSING,
// TEXT_TOO_LARGE, the errors of RecognizeData (proto/inputs/data_kind.h), those of GetJob and of the upload.
absl::StatusOr<v1::Data> TextOf(const Gateway& gateway, const HttpForm& form, const std::string& use);

}  // namespace bitwright::server
