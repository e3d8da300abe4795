#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/store/store.h"
#include "server/store/store_errors.h"

namespace bitwright::server {

// A store that refuses some of its writes, as one on a full disk does: nothing of them is written, and the caller is
// told. Order and threads of the answers are those of the store behind it. Thread-safe.
class FaultStore final : public Store {
 public:
  explicit FaultStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}

  // Every n-th write from now on; 1: all of them; 0: none.
  void RefuseEvery(int n) {
    absl::MutexLock lock(&mutex_);
    every_ = n;
  }
  int refused() const {
    absl::MutexLock lock(&mutex_);
    return refused_;
  }

  absl::Status Read(const std::function<absl::Status(Snapshot&)>& body) override { return store_->Read(body); }
  absl::Status Write(const Body& body) override { return Refuses() ? Full() : store_->Write(body); }
  void Submit(Body body, Done done) override {
    if (Refuses()) body = [](Transaction&) { return Full(); };
    store_->Submit(std::move(body), std::move(done));
  }

 private:
  static absl::Status Full() { return StoreDiskFullError("write, since a test says so"); }
  bool Refuses() {
    absl::MutexLock lock(&mutex_);
    if (every_ == 0 || ++writes_ % every_ != 0) return false;
    ++refused_;
    return true;
  }

  const std::unique_ptr<Store> store_;
  mutable absl::Mutex mutex_;
  int every_ ABSL_GUARDED_BY(mutex_) = 0;
  int writes_ ABSL_GUARDED_BY(mutex_) = 0;
  int refused_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bitwright::server
