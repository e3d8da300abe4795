#include "workers/targets/targets_errors.h"

#include <string>

#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status GgufCannotStoreError(std::string_view what, std::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TARGET_CANNOT_STORE",
                   std::string(what) + " cannot be written to a GGUF file: " + std::string(why) +
                       "; choose the target compressed-tensors",
                   {{"target", "gguf"}, {"what", std::string(what)}});
}

absl::Status VocabularyInvalidError(std::string_view field, std::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TOKENIZER_INVALID",
                   "tokenizer.json: " + std::string(field) + " " + std::string(why),
                   {{"file", "tokenizer.json"}, {"field", std::string(field)}});
}

}  // namespace bitwright::worker
