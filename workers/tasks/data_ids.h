#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "workers/tasks/task_io.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {

// A text of a tokenize task, or ids.
struct DataText {
  std::string input;  // its name among the inputs
  v1::Data::Kind kind = v1::Data::TEXT;
  int window = 0;
  bool add_special_tokens = false;
};

// What was tokenized.
struct DataFacts {
  int64_t documents = 0;  // 1 for text, 0 for ids
  int64_t bytes = 0;      // of text
};

// Reads the input as what `data` says it is, and gives its ids to `sink`, part after part. A byte order mark at its
// start is no part of it. DATA_INVALID and the errors of Tokenizer, ChatTemplate and `sink`.
absl::StatusOr<DataFacts> ReadData(const DataText& data, TaskIo& io, Tokenizer::IdSink sink);

}  // namespace bitwright::worker
