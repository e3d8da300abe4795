#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf.h"
#include "workers/checkpoint/gguf_settings.h"

namespace bitwright::worker {

// A file without tensors that has these settings, read back.
absl::StatusOr<GgufFile> WrittenGguf(const std::vector<GgufSetting>& settings);

}  // namespace bitwright::worker
