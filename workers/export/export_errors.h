#pragma once

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason CONFIG_INVALID: the model's config.json is not a JSON object; metadata: file.
absl::Status ConfigNotAnObjectError();

}  // namespace bitwright::worker
