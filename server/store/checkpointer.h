#pragma once

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/store/sqlite_db.h"

namespace bitwright::server {

// Brings a database's log into it beside the writer, so that no commit waits until thousands of pages are written. The
// log is begun anew only once all of it is in the database, and the writer adds to it meanwhile: so a thread with a
// connection of its own brings in what there is until little is left, and the writer does that little itself, between
// two commits. What fails is tried again with a later commit: nothing is lost, the log grows. Thread-safe.
class Checkpointer {
 public:
  // How many pages make it worth while, 64 MiB: a page that many commits change is written once, and between two times
  // that the writer takes part there are thousands of commits.
  static constexpr int kLogPages = 16384;

  // INTERNAL, reason STORE_FAILED: the database, which another connection has open, cannot be opened.
  static absl::StatusOr<std::unique_ptr<Checkpointer>> Start(const std::string& path, int log_pages = kLogPages);
  ~Checkpointer();

  // The writer, after each commit; `writer` is its connection.
  void OnCommit(SqliteDb& writer);
  // Instead, after one that failed: where the disk is full and the log cannot grow, it can still be begun anew.
  static void OnFailure(SqliteDb& writer);

 private:
  Checkpointer(std::unique_ptr<SqliteDb> db, int log_pages);
  void Run();
  // Until little is left, or no more can be had for now.
  void BringIn();
  // Who is to do something.
  enum class Turn { kNobody, kThread, kWriter };
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closing_ || turn_ == Turn::kThread; }

  const int log_pages_;
  const std::unique_ptr<SqliteDb> db_;  // the thread's
  absl::Mutex mutex_;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  Turn turn_ ABSL_GUARDED_BY(mutex_) = Turn::kNobody;
  int looked_at_ ABSL_GUARDED_BY(mutex_) = 0;  // pages of the log, the last time that all this was done
  std::thread thread_;
};

}  // namespace bitwright::server
