#include "server/store/sqlite_store.h"

#include <optional>
#include <utility>

#include "proto/base/status_macros.h"
#include "server/store/reader_pool.h"
#include "server/store/sqlite_db.h"
#include "server/store/sqlite_schema.h"
#include "server/store/sqlite_transaction.h"
#include "server/store/write_queue.h"

namespace bitwright::server {
namespace {

constexpr char kMemory[] = ":memory:";

class SqliteStore final : public Store {
 public:
  SqliteStore(const std::string& path, std::unique_ptr<WriteQueue> writer) : writer_(std::move(writer)) {
    if (path != kMemory) readers_.emplace(path);
  }

  absl::Status Read(const std::function<absl::Status(Snapshot&)>& body) override {
    // What is only in memory belongs to one connection.
    if (!readers_) return writer_->Write([&](Transaction& tx) { return body(tx); });
    ABSL_ASSIGN_OR_RETURN(ReaderPool::Loan reader, readers_->Take());
    ABSL_RETURN_IF_ERROR(reader.db().Run("BEGIN", "begin to read"));
    SqliteTransaction transaction(reader.db());
    const absl::Status status = body(transaction);
    const absl::Status ended = reader.db().Run("COMMIT", "end reading");
    return status.ok() ? ended : status;
  }

  absl::Status Write(const Body& body) override { return writer_->Write(body); }
  void Submit(Body body, Done done) override { writer_->Submit(std::move(body), std::move(done)); }

 private:
  std::optional<ReaderPool> readers_;
  std::unique_ptr<WriteQueue> writer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path, CommitObserver observer) {
  ABSL_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDb> db, SqliteDb::Open(path));
  ABSL_RETURN_IF_ERROR(MigrateSchema(*db, path));
  std::unique_ptr<Checkpointer> checkpointer;
  if (path != kMemory) {
    ABSL_ASSIGN_OR_RETURN(checkpointer, Checkpointer::Start(path));
  }
  ABSL_ASSIGN_OR_RETURN(auto writer, WriteQueue::Start(std::move(db), std::move(checkpointer), std::move(observer)));
  return std::unique_ptr<Store>(new SqliteStore(path, std::move(writer)));
}

}  // namespace bitwright::server
