#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/store/store.h"

namespace bitwright::server {

// The store in one SQLite file: WAL, synchronous FULL, one connection that writes (write_queue.h), others that read.
// `path` ":memory:" keeps nothing. `observer` is told of every commit, on the writer's thread. INTERNAL, reason
// STORE_FAILED; FAILED_PRECONDITION, reason STORE_NEWER.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path, CommitObserver observer = nullptr);

}  // namespace bitwright::server
