#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/store/store.h"

namespace bitwright::server {

// What a change expects of a task: this state under this token. `state` kWaiting with token 0 means that the store need
// not know it.
struct ExpectedTask {
  std::string name;
  TaskState state = TaskState::kWaiting;
  int64_t fencing_token = 0;
};

struct ActionRow {
  std::string tenant;
  std::string digest;
  std::string result;
  std::vector<BlobDigest> outputs;
};

struct References {
  std::string owner;
  std::string tenant;
  std::vector<BlobDigest> digests;
};

// One step of a job or model as a value: what must hold, and the rows that are then written. Made under the scheduler's
// lock, applied by the store's writer, and only then taken into memory.
struct Change {
  std::vector<ExpectedTask> expected;
  std::vector<BlobDigest> held;  // must be; last used at `now`
  std::string held_for;          // what they are, for the error

  std::vector<TaskRow> tasks;
  std::optional<ModelRow> model;
  std::optional<JobRow> job;
  std::optional<ActionRow> action;
  std::string dropped_action;                   // its digest
  std::string dropped_blob;                     // SHA-256 of one whose bytes are lost
  std::vector<std::string> cleared_references;  // of these owners; before any is added
  std::vector<References> references;
  int64_t now_micros = 0;
};

// Writes the change, or nothing. ABORTED, reason CHANGE_REFUSED: an expectation does not hold, or the job or model is
// no longer there; FAILED_PRECONDITION, reason BLOB_MISSING; and the errors of Transaction.
absl::Status Apply(Transaction& tx, const Change& change);

}  // namespace bitwright::server
