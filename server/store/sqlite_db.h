#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace bitwright::server {

// One prepared statement in use: bind in order, then step. Reset when it goes. The first failure of a bind is reported
// by Step. Not thread-safe.
class Statement {
 public:
  Statement(sqlite3* db, sqlite3_stmt* statement, std::string_view what);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int64_t value);
  Statement& Bind(double value);
  Statement& Text(std::string_view value);  // must outlive the last Step
  Statement& Blob(std::string_view value);  // likewise

  // True: a row is there to be read. False: finished.
  absl::StatusOr<bool> Step();
  // For statements without rows.
  absl::Status Run();

  int64_t Int(int column) const;
  double Real(int column) const;
  std::string Str(int column) const;  // text or blob

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_;
  std::string_view what_;
  int next_ = 1;
  int bind_error_ = 0;
};

// One connection with its prepared statements. Not thread-safe.
class SqliteDb {
 public:
  // Opens or creates; WAL, synchronous FULL, foreign keys on. Its commits leave the log to the caller: see
  // checkpointer.h. INTERNAL, reason STORE_FAILED.
  static absl::StatusOr<std::unique_ptr<SqliteDb>> Open(const std::string& path);
  // Another connection to a database that is open for writing; it cannot change anything.
  static absl::StatusOr<std::unique_ptr<SqliteDb>> OpenReader(const std::string& path);
  ~SqliteDb();

  absl::Status Execute(const std::string& sql, std::string_view what);
  // `sql` is prepared at its first use and kept: pass literals. CHECK fails for text that is not SQL.
  Statement Prepare(const char* sql, std::string_view what);
  // The same in one go, for a statement without values and rows that is run often.
  absl::Status Run(const char* sql, std::string_view what) { return Prepare(sql, what).Run(); }
  bool in_no_transaction() const;

  // Pages of the log, and how many of them, from its begin, are in the database.
  struct Log {
    int pages = 0;
    int in_database = 0;
  };
  // As this connection left it with its last commit.
  int log_pages() const { return log_pages_; }
  // Brings into the database what no reader still needs otherwise, and makes it durable; nobody waits for it, neither
  // readers nor the writer. Once all of the log is there, the writer begins it anew by itself. OK and without effect
  // while another connection does the same.
  absl::StatusOr<Log> Checkpoint();

 private:
  explicit SqliteDb(sqlite3* db) : db_(db) {}
  static absl::StatusOr<std::unique_ptr<SqliteDb>> Open(const std::string& path, int flags, const char* modes);
  static int OnCommit(void* self, sqlite3* db, const char* schema, int log_pages);

  sqlite3* db_;
  int log_pages_ = 0;
  std::map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace bitwright::server
