#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "bitwright/v1/models.pb.h"
#include "server/store/store.h"

namespace bitwright::server {

// A model as jobs use it: parsed once, shared by all of them.
struct SharedModel {
  v1::Model model;
  std::string tenant;
  v1::Digest info;  // of the blob that holds model.info; empty unless it is READY
};

// Models by name, the latest used ones. READY and REJECTED models never change, so that only they are kept; a deleted
// one may be returned for a while: whoever makes something of it asks the store whether it is there, and whether it may
// be seen, by its tenant. Thread-safe.
class ModelCache {
 public:
  explicit ModelCache(Store& store) : store_(store) {}

  // Null: there is no such model. INTERNAL, reason MODEL_CORRUPT: its row cannot be read.
  absl::StatusOr<std::shared_ptr<const SharedModel>> Get(const std::string& name);

 private:
  using Entry = std::pair<std::string, std::shared_ptr<const SharedModel>>;
  std::shared_ptr<const SharedModel> Find(const std::string& name);
  void Keep(const std::string& name, std::shared_ptr<const SharedModel> model);

  Store& store_;
  absl::Mutex mutex_;
  std::list<Entry> recent_ ABSL_GUARDED_BY(mutex_);  // latest first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_name_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
