#include "server/store/reader_pool.h"

#include <utility>

namespace bitwright::server {
namespace {

// Each has a page cache of its own.
constexpr int kMostReaders = 8;

}  // namespace

ReaderPool::Loan::~Loan() {
  if (db_ != nullptr) pool_->GiveBack(std::move(db_));
}

bool ReaderPool::Free() const { return !free_.empty() || out_ < kMostReaders; }

absl::StatusOr<ReaderPool::Loan> ReaderPool::Take() {
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &ReaderPool::Free));
    ++out_;
    if (!free_.empty()) {
      std::unique_ptr<SqliteDb> db = std::move(free_.back());
      free_.pop_back();
      return Loan(*this, std::move(db));
    }
  }
  absl::StatusOr<std::unique_ptr<SqliteDb>> db = SqliteDb::OpenReader(path_);
  if (db.ok()) return Loan(*this, *std::move(db));
  absl::MutexLock lock(&mutex_);
  --out_;
  return db.status();
}

void ReaderPool::GiveBack(std::unique_ptr<SqliteDb> db) {
  absl::MutexLock lock(&mutex_);
  --out_;
  free_.push_back(std::move(db));
}

}  // namespace bitwright::server
