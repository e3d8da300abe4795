#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "workers/tasks/task_io.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {

// The tokenizer of the model among the inputs: of tokenizer.json, or else of tokenizer.model. TASK_INPUT_MISSING and
// the errors of Tokenizer::Load.
absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizer(TaskIo& io);

}  // namespace bitwright::worker
