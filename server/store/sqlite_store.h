#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/store/store.h"

namespace bitwright::server {

// The store in one SQLite file: WAL, synchronous FULL, one connection under a mutex. `path` ":memory:" keeps nothing.
// INTERNAL, reason STORE_FAILED; FAILED_PRECONDITION, reason STORE_NEWER.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path);

}  // namespace bitwright::server
