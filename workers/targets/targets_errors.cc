#include "workers/targets/targets_errors.h"

#include <string>

#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status TargetUnknownError(std::string_view target, std::string_view known) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TARGET_UNKNOWN",
                   "target '" + std::string(target) + "' is not known; choose one of " + std::string(known),
                   {{"target", std::string(target)}});
}

absl::Status CannotStoreError(std::string_view target, std::string_view what, std::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TARGET_CANNOT_STORE",
                   "target '" + std::string(target) + "' cannot store " + std::string(what) + ": " + std::string(why),
                   {{"target", std::string(target)}, {"what", std::string(what)}});
}

absl::Status GgufCannotStoreError(std::string_view what, std::string_view why) {
  return CannotStoreError("gguf", what, why);
}

absl::Status ConfigNotAnObjectError() {
  return MakeError(absl::StatusCode::kInvalidArgument, "CONFIG_INVALID", "config.json is not a JSON object",
                   {{"file", "config.json"}});
}

absl::Status InfoLacksTargetError(std::string_view target) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TASK_INPUT_DAMAGED",
                   "input 'info' has no units in formats of target '" + std::string(target) + "'",
                   {{"input", "info"}, {"target", std::string(target)}});
}

absl::Status WeightsLackError(std::string_view tensor) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TASK_INPUT_DAMAGED",
                   "input 'weights' lacks tensor '" + std::string(tensor) + "' in the plan's shape",
                   {{"input", "weights"}, {"tensor", std::string(tensor)}});
}

absl::Status VocabularyInvalidError(std::string_view field, std::string_view why, std::string_view file) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TOKENIZER_INVALID",
                   std::string(file) + ": " + std::string(field) + " " + std::string(why),
                   {{"file", std::string(file)}, {"field", std::string(field)}});
}

}  // namespace bitwright::worker
