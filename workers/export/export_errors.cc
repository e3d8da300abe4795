#include "workers/export/export_errors.h"

#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status ConfigNotAnObjectError() {
  return MakeError(absl::StatusCode::kInvalidArgument, "CONFIG_INVALID", "config.json is not a JSON object",
                   {{"file", "config.json"}});
}

}  // namespace bitwright::worker
