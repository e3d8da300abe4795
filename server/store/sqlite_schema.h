#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::server {

class SqliteDb;

// Brings a database to the newest schema, one numbered step after another, each in its own transaction; the number
// reached is kept in the table schema_version. FAILED_PRECONDITION, reason STORE_NEWER, for one of a later program.
absl::Status MigrateSchema(SqliteDb& db, const std::string& path);

}  // namespace bitwright::server
