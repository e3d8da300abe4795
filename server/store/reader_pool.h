#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/store/sqlite_db.h"

namespace bitwright::server {

// Connections for questions, beside the writer's: WAL lets them see the last commit while the next one is made. Grows
// to as many as ask at once, up to a bound; beyond it, callers wait for one another. Thread-safe.
class ReaderPool {
 public:
  explicit ReaderPool(std::string path) : path_(std::move(path)) {}

  // A connection of the pool, until the object goes.
  class Loan {
   public:
    Loan(ReaderPool& pool, std::unique_ptr<SqliteDb> db) : pool_(&pool), db_(std::move(db)) {}
    Loan(Loan&&) = default;
    ~Loan();
    SqliteDb& db() { return *db_; }

   private:
    ReaderPool* pool_;
    std::unique_ptr<SqliteDb> db_;
  };
  // INTERNAL, reason STORE_FAILED: it cannot be opened.
  absl::StatusOr<Loan> Take();

 private:
  bool Free() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveBack(std::unique_ptr<SqliteDb> db);

  const std::string path_;
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<SqliteDb>> free_ ABSL_GUARDED_BY(mutex_);
  int out_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bitwright::server
