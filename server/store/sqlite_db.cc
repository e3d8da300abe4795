#include "server/store/sqlite_db.h"

#include <sqlite3.h>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "server/store/store_errors.h"

namespace bitwright::server {
namespace {

constexpr int kBusyMillis = 5000;

absl::Status ToStatus(sqlite3* db, int code, std::string_view what) {
  if (code == SQLITE_FULL) return StoreDiskFullError(what);
  return StoreFailedError(what, sqlite3_errmsg(db));
}

}  // namespace

Statement::Statement(sqlite3* db, sqlite3_stmt* statement, std::string_view what)
    : db_(db), statement_(statement), what_(what) {}

Statement::~Statement() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::Bind(int64_t value) {
  bind_error_ |= sqlite3_bind_int64(statement_, next_++, value);
  return *this;
}

Statement& Statement::Bind(double value) {
  bind_error_ |= sqlite3_bind_double(statement_, next_++, value);
  return *this;
}

Statement& Statement::Text(std::string_view value) {
  bind_error_ |= sqlite3_bind_text64(statement_, next_++, value.data() ? value.data() : "", value.size(), SQLITE_STATIC,
                                     SQLITE_UTF8);
  return *this;
}

Statement& Statement::Blob(std::string_view value) {
  bind_error_ |=
      sqlite3_bind_blob64(statement_, next_++, value.data() ? value.data() : "", value.size(), SQLITE_STATIC);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) return StoreFailedError(what_, "a value could not be bound");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ToStatus(db_, code, what_);
}

absl::Status Statement::Run() { return Step().status(); }

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::Real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Statement::Str(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
}

int SqliteDb::OnCommit(void* self, sqlite3* /*db*/, const char* /*schema*/, int log_pages) {
  static_cast<SqliteDb*>(self)->log_pages_ = log_pages;
  return SQLITE_OK;
}

absl::StatusOr<SqliteDb::Log> SqliteDb::Checkpoint() {
  Log log;
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &log.pages, &log.in_database);
  if (code == SQLITE_BUSY) return Log();
  if (code != SQLITE_OK) return ToStatus(db_, code, "bring its log into the database");
  return log;
}

absl::StatusOr<std::unique_ptr<SqliteDb>> SqliteDb::Open(const std::string& path, int flags, const char* modes) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<SqliteDb> db(new SqliteDb(raw));
  if (code != SQLITE_OK) {
    return StoreFailedError("open '" + path + "'", raw != nullptr ? sqlite3_errmsg(raw) : "no memory");
  }
  sqlite3_busy_timeout(raw, kBusyMillis);
  sqlite3_wal_hook(raw, OnCommit, db.get());  // SQLite's own would bring the log into the database within a commit
  ABSL_RETURN_IF_ERROR(db->Execute(modes, "set its modes"));
  return db;
}

absl::StatusOr<std::unique_ptr<SqliteDb>> SqliteDb::Open(const std::string& path) {
  return Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
              "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
              "PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;");
}

absl::StatusOr<std::unique_ptr<SqliteDb>> SqliteDb::OpenReader(const std::string& path) {
  return Open(path, SQLITE_OPEN_READWRITE,
              "PRAGMA synchronous=FULL; PRAGMA query_only=ON; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY;");
}

SqliteDb::~SqliteDb() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

absl::Status SqliteDb::Execute(const std::string& sql, std::string_view what) {
  const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ToStatus(db_, code, what);
}

Statement SqliteDb::Prepare(const char* sql, std::string_view what) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    CHECK(code == SQLITE_OK) << sql << ": " << sqlite3_errmsg(db_);
  }
  return Statement(db_, statement, what);
}

bool SqliteDb::in_no_transaction() const { return sqlite3_get_autocommit(db_) != 0; }

}  // namespace bitwright::server
