#pragma once

#include <memory>

#include "server/store/checkpointer.h"
#include "server/store/sqlite_db.h"
#include "server/store/store.h"

namespace bitwright::server {

// The one writer of a database. Transactions wait in order; a thread takes all that wait, runs each within a savepoint
// of one transaction and commits them together: one fsync, however many they are. Should that transaction fail as a
// whole (a full disk), each is run again in one of its own and told its own fate. Thread-safe.
class WriteQueue {
 public:
  // Owns the connection. Every commit is refused once the stored term is no longer the one of this moment.
  // `checkpointer` may be null: the database has no log.
  static absl::StatusOr<std::unique_ptr<WriteQueue>> Start(std::unique_ptr<SqliteDb> db,
                                                           std::unique_ptr<Checkpointer> checkpointer,
                                                           CommitObserver observer);
  ~WriteQueue();  // commits and answers what was submitted

  // `done` is called on the thread of answers, after those of all earlier submissions.
  void Submit(Store::Body body, Store::Done done);
  // Waits for the commit. Must not be called by a body or a Done.
  absl::Status Write(const Store::Body& body);

 private:
  struct State;
  explicit WriteQueue(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::server
