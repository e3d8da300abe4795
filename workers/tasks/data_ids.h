#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "workers/tasks/task_io.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::v1 {
class TokenizeParams;
}

namespace bitwright::worker {

// What was tokenized.
struct DataFacts {
  int64_t documents = 0;  // 1 for text, 0 for ids
  int64_t bytes = 0;      // of text
};

// Reads the input "data" as what `params` says it is, and gives its ids to `sink`, part after part. A byte order mark
// at its start is no part of it. DATA_INVALID and the errors of Tokenizer, ChatTemplate and `sink`.
absl::StatusOr<DataFacts> ReadData(const v1::TokenizeParams& params, TaskIo& io, Tokenizer::IdSink sink);

}  // namespace bitwright::worker
