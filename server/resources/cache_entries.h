#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bitwright/v1/operator.pb.h"
#include "server/auth/call_context.h"
#include "server/store/store.h"

namespace bitwright::server {

// The action cache as operators see it: one entry at a time, by the digest of the task. The scheduler fills it and
// reads it. An empty tenant is the default one. Errors as in OperatorService. Thread-safe.
class CacheEntries {
 public:
  explicit CacheEntries(Store& store) : store_(store) {}

  absl::StatusOr<v1::CacheEntry> Get(const CallContext& call, const std::string& digest, const std::string& tenant);
  // Forgets the entry; its blobs are collected once nothing else needs them.
  absl::Status Delete(const CallContext& call, const std::string& digest, const std::string& tenant);

 private:
  Store& store_;
};

}  // namespace bitwright::server
