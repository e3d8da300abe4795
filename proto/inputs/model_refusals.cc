#include "proto/inputs/model_refusals.h"

#include "proto/inputs/input_errors.h"

namespace bitwright {

absl::Status CheckModelFolder(const ModelFolder& folder) {
  if (!folder.Has("config.json")) return ConfigMissingError();
  return absl::OkStatus();
}

}  // namespace bitwright
