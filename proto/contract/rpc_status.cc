#include "proto/contract/rpc_status.h"

#include "absl/strings/cord.h"
#include "google/rpc/status.pb.h"

namespace bitwright {

google::rpc::Status ToProto(const absl::Status& status) {
  google::rpc::Status proto;
  proto.set_code(static_cast<int>(status.code()));
  proto.set_message(std::string(status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    auto* any = proto.add_details();
    any->set_type_url(std::string(url));
    any->set_value(std::string(payload));
  });
  return proto;
}

absl::Status FromProto(const google::rpc::Status& status) {
  if (status.code() == 0) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.code()), status.message());
  for (const auto& any : status.details()) result.SetPayload(any.type_url(), absl::Cord(any.value()));
  return result;
}

}  // namespace bitwright
