#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bitwright/v1/models.pb.h"
#include "proto/base/recent_values.h"
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
  static constexpr size_t kMostKept = 32;  // of about 1 MiB each where models are large

  Store& store_;
  RecentValues<std::shared_ptr<const SharedModel>> models_{kMostKept};
};

}  // namespace bitwright::server
