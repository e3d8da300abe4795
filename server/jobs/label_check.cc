#include "server/jobs/label_check.h"

#include <string>

#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "server/jobs/job_errors.h"

namespace bitwright::server {
absl::Status CheckLabels(const v1::JobSpec& spec) {
  const auto& labels = spec.labels();
  if (labels.size() > limits::kMaxLabels) {
    return LabelInvalidError("", "there are " + std::to_string(labels.size()) + " labels, give at most " +
                                     std::to_string(limits::kMaxLabels));
  }
  for (const auto& [key, value] : labels) {
    if (!IsLabelKey(key)) {
      return LabelInvalidError(key, "give a key of 1 to " + std::to_string(limits::kMaxLabelKeyBytes) +
                                        " lower-case letters, digits, '-', '_', '.'");
    }
    if (value.size() > limits::kMaxLabelValueBytes) {
      return LabelInvalidError(key, "its value has " + std::to_string(value.size()) + " bytes, give at most " +
                                        std::to_string(limits::kMaxLabelValueBytes));
    }
  }
  return absl::OkStatus();
}

}  // namespace bitwright::server
