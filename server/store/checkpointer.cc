#include "server/store/checkpointer.h"

#include <utility>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"

namespace bitwright::server {
namespace {

// Pages that the writer may bring in by itself.
constexpr int kLittle = 256;
// Each leaves what was added meanwhile, which is less than before unless the disk is slower than the writer.
constexpr int kMostRounds = 8;

}  // namespace

absl::StatusOr<std::unique_ptr<Checkpointer>> Checkpointer::Start(const std::string& path, int log_pages) {
  ABSL_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDb> db, SqliteDb::OpenReader(path));
  // A connection finds the log with the first thing that it reads.
  ABSL_RETURN_IF_ERROR(db->Execute("SELECT term FROM leader", "find its log"));
  return std::unique_ptr<Checkpointer>(new Checkpointer(std::move(db), log_pages));
}

Checkpointer::Checkpointer(std::unique_ptr<SqliteDb> db, int log_pages)
    : log_pages_(log_pages), db_(std::move(db)), thread_([this] { Run(); }) {}

Checkpointer::~Checkpointer() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  thread_.join();
}

void Checkpointer::OnCommit(SqliteDb& writer) {
  {
    absl::MutexLock lock(&mutex_);
    const int pages = writer.log_pages();
    if (pages < looked_at_) looked_at_ = 0;  // it was begun anew
    if (turn_ == Turn::kNobody && pages - looked_at_ >= log_pages_) turn_ = Turn::kThread;
    if (turn_ != Turn::kWriter) return;
    turn_ = Turn::kNobody;
    looked_at_ = pages;
  }
  if (const auto log = writer.Checkpoint(); !log.ok()) LOG(ERROR) << log.status().ToString();
}

void Checkpointer::OnFailure(SqliteDb& writer) { (void)writer.Checkpoint(); }

void Checkpointer::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &Checkpointer::HasWork));
      if (closing_) return;
    }
    BringIn();
    absl::MutexLock lock(&mutex_);
    turn_ = Turn::kWriter;
  }
}

void Checkpointer::BringIn() {
  for (int round = 0; round < kMostRounds; ++round) {
    const auto log = db_->Checkpoint();
    if (!log.ok()) LOG(ERROR) << log.status().ToString();
    if (!log.ok() || log->pages - log->in_database <= kLittle) return;
  }
}

}  // namespace bitwright::server
