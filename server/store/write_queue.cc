#include "server/store/write_queue.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "proto/base/clock.h"
#include "proto/base/failpoint.h"
#include "proto/base/status_macros.h"
#include "server/store/sqlite_transaction.h"
#include "server/store/store_errors.h"

namespace bitwright::server {
namespace {

// Bounds how long the first of a batch waits for the last.
constexpr size_t kMostPerCommit = 512;

struct Entry {
  Store::Body body;
  Store::Done done;
  bool at_once = false;  // `done` only wakes a waiting thread
};

struct Answer {
  Store::Done done;
  absl::Status status;
};

absl::StatusOr<int64_t> Term(SqliteDb& db) {
  Statement read = db.Prepare("SELECT term FROM leader", "read its term");
  ABSL_RETURN_IF_ERROR(read.Step().status());
  return read.Int(0);
}

}  // namespace

struct WriteQueue::State {
  std::unique_ptr<SqliteDb> db;
  std::unique_ptr<Checkpointer> checkpointer;
  CommitObserver observer;
  const SystemClock clock{};
  int64_t term = 0;

  absl::Mutex mutex;
  std::deque<Entry> waiting ABSL_GUARDED_BY(mutex);
  std::deque<Answer> answers ABSL_GUARDED_BY(mutex);
  bool closing ABSL_GUARDED_BY(mutex) = false;  // nothing more is submitted
  bool written ABSL_GUARDED_BY(mutex) = false;  // nor answered
  std::thread writer;
  std::thread answerer;

  bool CanWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return closing || !waiting.empty(); }
  bool CanAnswer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return written || !answers.empty(); }

  void Add(Entry entry) {
    absl::MutexLock lock(&mutex);
    waiting.push_back(std::move(entry));
  }

  std::vector<Entry> Take() {
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(this, &State::CanWrite));
    const size_t count = std::min(waiting.size(), kMostPerCommit);
    std::vector<Entry> batch(std::make_move_iterator(waiting.begin()),
                             std::make_move_iterator(waiting.begin() + static_cast<int64_t>(count)));
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<int64_t>(count));
    return batch;
  }

  void RunWriter() {
    for (std::vector<Entry> batch = Take(); !batch.empty(); batch = Take()) {
      const MonotonicTime start = clock.Monotonic();
      bool committed = false;
      const std::vector<absl::Status> statuses = CommitAll(batch, committed);
      if (observer)
        observer(static_cast<int>(batch.size()), absl::ToDoubleSeconds(clock.Monotonic() - start), committed);
      Tell(batch, statuses);
      if (checkpointer == nullptr) continue;
      if (committed) {
        checkpointer->OnCommit(*db);
      } else {
        Checkpointer::OnFailure(*db);
      }
    }
    absl::MutexLock lock(&mutex);
    written = true;
  }

  void Tell(std::vector<Entry>& batch, const std::vector<absl::Status>& statuses) {
    for (size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].at_once) batch[i].done(statuses[i]);
    }
    absl::MutexLock lock(&mutex);
    for (size_t i = 0; i < batch.size(); ++i) {
      if (!batch[i].at_once) answers.push_back({std::move(batch[i].done), statuses[i]});
    }
  }

  void RunAnswers() {
    while (true) {
      std::deque<Answer> ready;
      {
        absl::MutexLock lock(&mutex);
        mutex.Await(absl::Condition(this, &State::CanAnswer));
        if (answers.empty()) return;
        ready.swap(answers);
      }
      for (const Answer& answer : ready) answer.done(answer.status);
    }
  }

  std::vector<absl::Status> CommitAll(const std::vector<Entry>& batch, bool& committed) {
    std::vector<absl::Status> statuses;
    committed = Commit(batch, statuses).ok();
    if (committed) return statuses;
    statuses.clear();
    for (const Entry& entry : batch) {
      std::vector<absl::Status> own;
      const absl::Status status = Commit({entry}, own);
      committed |= status.ok();
      statuses.push_back(status.ok() ? own.front() : status);
    }
    return statuses;
  }

  // The fate of each, where the transaction as a whole is committed.
  absl::Status Commit(const std::vector<Entry>& batch, std::vector<absl::Status>& statuses) {
    ABSL_RETURN_IF_ERROR(db->Run("BEGIN IMMEDIATE", "begin a transaction"));
    absl::Status whole = CheckTerm();
    for (const Entry& entry : batch) {
      if (!whole.ok()) break;
      absl::StatusOr<absl::Status> fate = RunBody(entry.body);
      whole = fate.status();
      if (fate.ok()) statuses.push_back(*std::move(fate));
    }
    if (whole.ok() && Failpoint("store.before_commit") != 0) whole = StoreFailedError("commit", "a failpoint");
    if (whole.ok()) whole = db->Run("COMMIT", "commit");
    // After some failures SQLite has rolled back by itself; then this fails and nothing is lost.
    if (!whole.ok()) (void)db->Execute("ROLLBACK", "roll back");
    if (whole.ok()) Failpoint("store.after_commit");
    return whole;
  }

  absl::Status CheckTerm() {
    ABSL_ASSIGN_OR_RETURN(const int64_t now, Term(*db));
    return now == term ? absl::OkStatus() : TermEndedError(term, now);
  }

  // The body's own status, its writes undone unless it is OK. An error: the whole transaction is gone.
  absl::StatusOr<absl::Status> RunBody(const Store::Body& body) {
    ABSL_RETURN_IF_ERROR(db->Run("SAVEPOINT step", "begin a step"));
    SqliteTransaction transaction(*db);
    absl::Status fate = body(transaction);
    if (db->in_no_transaction()) return fate.ok() ? StoreFailedError("keep a transaction", "it ended early") : fate;
    if (!fate.ok()) ABSL_RETURN_IF_ERROR(db->Execute("ROLLBACK TO step", "undo a step"));
    ABSL_RETURN_IF_ERROR(db->Run("RELEASE step", "end a step"));
    return fate;
  }
};

WriteQueue::WriteQueue(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->writer = std::thread([state = state_.get()] { state->RunWriter(); });
  state_->answerer = std::thread([state = state_.get()] { state->RunAnswers(); });
}

absl::StatusOr<std::unique_ptr<WriteQueue>> WriteQueue::Start(std::unique_ptr<SqliteDb> db,
                                                              std::unique_ptr<Checkpointer> checkpointer,
                                                              CommitObserver observer) {
  auto state = std::make_unique<State>();
  ABSL_ASSIGN_OR_RETURN(state->term, Term(*db));
  state->db = std::move(db);
  state->checkpointer = std::move(checkpointer);
  state->observer = std::move(observer);
  return std::unique_ptr<WriteQueue>(new WriteQueue(std::move(state)));
}

WriteQueue::~WriteQueue() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->closing = true;
  }
  state_->writer.join();
  state_->answerer.join();
}

void WriteQueue::Submit(Store::Body body, Store::Done done) {
  state_->Add({.body = std::move(body), .done = std::move(done)});
}

absl::Status WriteQueue::Write(const Store::Body& body) {
  absl::Notification written;
  absl::Status status;
  const auto wake = [&](const absl::Status& fate) {
    status = fate;
    written.Notify();
  };
  state_->Add({.body = body, .done = wake, .at_once = true});
  written.WaitForNotification();
  return status;
}

}  // namespace bitwright::server
