#include "server/store/sqlite_store.h"

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/base/failpoint.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "server/store/sqlite_db.h"
#include "server/store/sqlite_schema.h"
#include "server/store/sqlite_transaction.h"
#include "server/store/store_errors.h"

namespace bitwright::server {
namespace {

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::unique_ptr<SqliteDb> db) : db_(std::move(db)) {}

  absl::Status Read(const std::function<absl::Status(Snapshot&)>& body) override {
    absl::MutexLock lock(&mutex_);
    SqliteTransaction transaction(*db_);
    return body(transaction);
  }

  absl::Status Write(const std::function<absl::Status(Transaction&)>& body) override {
    absl::MutexLock lock(&mutex_);
    ABSL_RETURN_IF_ERROR(db_->Execute("BEGIN IMMEDIATE", "begin a transaction"));
    SqliteTransaction transaction(*db_);
    absl::Status status = body(transaction);
    if (status.ok() && Failpoint("store.before_commit") != 0) status = StoreFailedError("commit", "a failpoint");
    if (status.ok()) status = db_->Execute("COMMIT", "commit");
    if (!status.ok()) {
      // After some failures SQLite has rolled back by itself; then this fails and nothing is lost.
      (void)db_->Execute("ROLLBACK", "roll back");
    }
    if (status.ok()) Failpoint("store.after_commit");
    return status;
  }

 private:
  absl::Mutex mutex_;
  std::unique_ptr<SqliteDb> db_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDb> db, SqliteDb::Open(path));
  ABSL_RETURN_IF_ERROR(MigrateSchema(*db, path));
  return std::unique_ptr<Store>(new SqliteStore(std::move(db)));
}

}  // namespace bitwright::server
