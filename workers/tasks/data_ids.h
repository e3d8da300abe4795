#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tasks/task_io.h"

namespace bitwright::v1 {
class TokenizeParams;
}

namespace bitwright::worker {

// The ids of a data file, and what was tokenized to get them.
struct DataIds {
  std::vector<int32_t> ids;
  int64_t documents = 0;  // 1 for text, 0 for ids
  int64_t bytes = 0;      // of text
};

// Reads the input "data" as what `params` says it is. A byte order mark at its start is no part of it. DATA_INVALID and
// the errors of Tokenizer and ChatTemplate.
absl::StatusOr<DataIds> ReadData(const v1::TokenizeParams& params, TaskIo& io);

}  // namespace bitwright::worker
