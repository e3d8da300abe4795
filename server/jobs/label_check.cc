#include "server/jobs/label_check.h"

#include <algorithm>
#include <string>

#include "proto/contract/limits.h"
#include "server/jobs/job_errors.h"

namespace bitwright::server {
namespace {

bool IsKeyChar(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'; }

}  // namespace

absl::Status CheckLabels(const v1::JobSpec& spec) {
  const auto& labels = spec.labels();
  if (labels.size() > limits::kMaxLabels) {
    return LabelInvalidError("", "there are " + std::to_string(labels.size()) + " labels, give at most " +
                                     std::to_string(limits::kMaxLabels));
  }
  for (const auto& [key, value] : labels) {
    if (key.empty() || key.size() > limits::kMaxLabelKeyBytes || !std::all_of(key.begin(), key.end(), IsKeyChar)) {
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
