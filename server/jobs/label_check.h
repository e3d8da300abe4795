#pragma once

#include "absl/status/status.h"
#include "bitwright/v1/jobs.pb.h"

namespace bitwright::server {

// At most limits::kMaxLabels labels; keys of 1 … kMaxLabelKeyBytes lower-case letters, digits, '-', '_', '.'; values of
// at most kMaxLabelValueBytes. INVALID_ARGUMENT, reason LABEL_INVALID.
absl::Status CheckLabels(const v1::JobSpec& spec);

}  // namespace bitwright::server
