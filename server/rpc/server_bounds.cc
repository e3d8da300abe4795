#include "server/rpc/server_bounds.h"

#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include "absl/time/time.h"
#include "proto/contract/limits.h"

namespace bitwright::server {
namespace {

constexpr int kGrpcThreads = 64;
constexpr int kStreamsOfConnection = 256;
constexpr int kMetadataBytes = 16 << 10;
constexpr absl::Duration kPing = absl::Seconds(30);        // to a client that says nothing
constexpr absl::Duration kPingAnswer = absl::Seconds(20);  // then the connection is dead
constexpr absl::Duration kClientPing = absl::Seconds(10);  // a client that pings more often is sent away
constexpr absl::Duration kIdleConnection = absl::Minutes(30);

int Millis(absl::Duration duration) { return static_cast<int>(absl::ToInt64Milliseconds(duration)); }

}  // namespace

void BoundServer(grpc::ServerBuilder& builder, size_t message_bytes) {
  builder.SetMaxReceiveMessageSize(limits::kMaxMessageBytes);
  builder.SetMaxSendMessageSize(static_cast<int>(limits::kMaxInlineProtoBytes));
  builder.SetResourceQuota(grpc::ResourceQuota("server").Resize(message_bytes).SetMaxThreads(kGrpcThreads));
  // Two servers on one port would each get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsOfConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Millis(kIdleConnection));
  // Someone who is gone without a word is found out, and what was held for him is given up.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Millis(kPing));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Millis(kPingAnswer));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, Millis(kClientPing));
}

std::string BoundAddress(const std::string& address, int port) {
  if (address.starts_with("unix:")) return address;
  return address.substr(0, address.rfind(':') + 1) + std::to_string(port);
}

}  // namespace bitwright::server
