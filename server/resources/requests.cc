#include "server/resources/requests.h"

#include <google/protobuf/message.h>

#include "proto/base/message_bytes.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "proto/contract/limits.h"
#include "server/resources/resource_errors.h"

namespace bitwright::server {
absl::StatusOr<RequestKey> RequestKey::Make(const CallContext& call, const std::string& method,
                                            const std::string& request_id, const google::protobuf::Message& request) {
  RequestKey key;
  if (request_id.empty()) return key;
  if (request_id.size() > limits::kMaxRequestIdBytes) return RequestIdTooLongError(request_id.size());
  key.tenant_ = call.tenant();
  key.request_id_ = request_id;
  key.row_id_ = method + "/" + request_id;
  key.body_hash_ = Sha256Hex(DeterministicBytes(request));
  return key;
}

absl::StatusOr<std::optional<std::string>> RequestKey::Earlier(Snapshot& snapshot) const {
  if (row_id_.empty()) return std::nullopt;
  ABSL_ASSIGN_OR_RETURN(const std::optional<RequestRow> row, snapshot.GetRequest(tenant_, row_id_));
  if (!row) return std::nullopt;
  if (row->body_hash != body_hash_) return RequestIdReusedError(request_id_);
  return std::optional(row->resource);
}

absl::Status RequestKey::Remember(Transaction& tx, const std::string& resource, absl::Time now) const {
  if (row_id_.empty()) return absl::OkStatus();
  return tx.PutRequest({tenant_, row_id_, body_hash_, resource, ToMicros(now)});
}

}  // namespace bitwright::server
