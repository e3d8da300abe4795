#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/auth/call_context.h"
#include "server/store/store.h"

namespace google::protobuf {
class Message;
}

namespace bitwright::server {

// Makes a creating call repeatable: the first call with a request_id leaves a row, later ones find it.
class RequestKey {
 public:
  // INVALID_ARGUMENT, reason REQUEST_ID_INVALID: too long. The caller's tenant and `method` keep ids apart.
  static absl::StatusOr<RequestKey> Make(const CallContext& call, const std::string& method,
                                         const std::string& request_id, const google::protobuf::Message& request);

  // The resource that an earlier equal call made. INVALID_ARGUMENT, reason REQUEST_ID_REUSED: it was another call.
  absl::StatusOr<std::optional<std::string>> Earlier(Snapshot& snapshot) const;
  absl::Status Remember(Transaction& tx, const std::string& resource, absl::Time now) const;

 private:
  std::string tenant_;
  std::string request_id_;
  std::string row_id_;  // empty: the call has no request_id
  std::string body_hash_;
};

}  // namespace bitwright::server
