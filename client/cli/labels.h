#pragma once

#include <map>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace bitwright::client {

// "team=nlp" each. INVALID_ARGUMENT, reason LABEL_INVALID: the form, the limits of JobSpec.labels, or a key given
// twice.
absl::StatusOr<std::map<std::string, std::string>> ParseLabels(std::span<const std::string> texts);

}  // namespace bitwright::client
