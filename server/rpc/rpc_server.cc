#include "server/rpc/rpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/resource_quota.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "proto/base/log.h"
#include "proto/contract/limits.h"
#include "server/rpc/idle_streams.h"
#include "server/rpc/in_process.h"
#include "server/rpc/lanes.h"
#include "server/rpc/rpc_errors.h"
#include "server/rpc/services.h"
#include "server/rpc/upload_session.h"

namespace bitwright::server {
namespace {

constexpr char kAnyLoopbackPort[] = "127.0.0.1:0";
constexpr int kFrameBytes = 4 << 20;
constexpr int kLookaheadBytes = 16 << 20;
constexpr size_t kGrpcBytes = size_t{1} << 30;  // of messages that arrive or leave, in all connections
constexpr int kGrpcThreads = 64;
constexpr int kStreamsOfConnection = 256;
constexpr int kMetadataBytes = 16 << 10;
constexpr absl::Duration kPing = absl::Seconds(30);        // to a client that says nothing
constexpr absl::Duration kPingAnswer = absl::Seconds(20);  // then the connection is dead
constexpr absl::Duration kClientPing = absl::Seconds(10);  // a client that pings more often is sent away
constexpr absl::Duration kIdleConnection = absl::Minutes(30);

// By the names that health checks ask for; the e2e test holds them to what reflection lists.
constexpr const char* kServices[] = {"bitwright.v1.BlobService",     "bitwright.v1.CapabilityService",
                                     "bitwright.v1.ModelService",    "bitwright.v1.JobService",
                                     "bitwright.v1.RecipeService",   "bitwright.v1.WorkerService",
                                     "bitwright.v1.OperatorService", "google.bytestream.ByteStream"};

int Millis(absl::Duration duration) { return static_cast<int>(absl::ToInt64Milliseconds(duration)); }

void Bound(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(limits::kMaxMessageBytes);
  builder.SetMaxSendMessageSize(static_cast<int>(limits::kMaxInlineProtoBytes));
  builder.SetResourceQuota(grpc::ResourceQuota("server").Resize(kGrpcBytes).SetMaxThreads(kGrpcThreads));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsOfConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Millis(kIdleConnection));
  // Someone who is gone without a word is found out, and what was held for him is given up.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Millis(kPing));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Millis(kPingAnswer));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, Millis(kClientPing));
}

void Configure(grpc::ServerBuilder& builder) {
  // Two servers on one port would each get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Uploads are a few long streams: large frames and a window that does not wait for round trips.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_WRITE_BUFFER_SIZE, kFrameBytes);
}

// "3.21.12", of the headers; the library of the same major version is linked.
std::string ProtobufVersion() { return google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION); }

std::string BoundAddress(const std::string& address, int port) {
  if (address.starts_with("unix:")) return address;
  return address.substr(0, address.rfind(':') + 1) + std::to_string(port);
}

}  // namespace

struct RpcServer::State {
  explicit State(const RpcParts& parts)
      : clock(parts.clock),
        idle(parts.upload_idle),
        lanes(parts.metrics, parts.clock, parts.authenticator, parts.audit, parts.spans) {}
  const Clock& clock;
  IdleStreams idle;
  Lanes lanes;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> server;
  std::string address;
  std::string worker_address;
  std::atomic<bool> serving{true};
};

std::span<const char* const> ServiceNames() { return kServices; }

RpcServer::RpcServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(const RpcParts& parts, const std::string& address,
                                                            std::shared_ptr<grpc::ServerCredentials> tls) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto state = std::make_unique<State>(parts);
  Lanes& lanes = state->lanes;
  const UploadParts uploads{.blobs = parts.blobs,
                            .held = parts.held,
                            .disk = parts.disk,
                            .clock = parts.clock,
                            .spawn = [&lanes](std::function<void()> step) { lanes.bulk_lane.Post(std::move(step)); }};
  state->services.push_back(MakeBlobService(lanes.bulk, parts.held, parts.clock));
  state->services.push_back(MakeByteStreamService(lanes.bulk, uploads, state->idle));
  state->services.push_back(MakeCapabilityService(lanes.control, parts.capabilities, parts.disk));
  state->services.push_back(MakeModelService(lanes.control, parts.models, parts.scheduler));
  state->services.push_back(MakeRecipeService(lanes.control, parts.recipes));
  state->services.push_back(MakeJobService(lanes.control, parts.jobs, parts.tasks, parts.scheduler));
  state->services.push_back(MakeWorkerService(lanes.work, parts.scheduler, parts.workers, parts.heartbeat));
  state->services.push_back(MakeOperatorService(
      lanes.control, {.workers = parts.workers, .tasks = parts.tasks, .cache = parts.cache, .tenants = parts.tenants}));
  parts.metrics.SetBuild(parts.capabilities.version(), grpc::Version(), ProtobufVersion());
  grpc::ServerBuilder builder;
  Bound(builder);
  Configure(builder);
  int port = 0;
  int worker_port = 0;
  builder.AddListeningPort(address, tls != nullptr ? tls : grpc::InsecureServerCredentials(), &port);
  if (tls != nullptr) builder.AddListeningPort(kAnyLoopbackPort, grpc::InsecureServerCredentials(), &worker_port);
  for (const auto& service : state->services) builder.RegisterService(service.get());
  state->server = builder.BuildAndStart();
  if (state->server == nullptr || port == 0 || (tls != nullptr && worker_port == 0)) return ListenFailedError(address);
  for (const char* service : kServices) state->server->GetHealthCheckService()->SetServingStatus(service, true);
  state->address = BoundAddress(address, port);
  state->worker_address = tls != nullptr ? BoundAddress(kAnyLoopbackPort, worker_port) : state->address;
  return std::unique_ptr<RpcServer>(new RpcServer(std::move(state)));
}

RpcServer::~RpcServer() { Shutdown(absl::ZeroDuration()); }

const std::string& RpcServer::address() const { return state_->address; }
const std::string& RpcServer::worker_address() const { return state_->worker_address; }

std::shared_ptr<grpc::Channel> RpcServer::OpenInProcess(const std::map<std::string, std::string>& metadata) const {
  return OpenInProcessChannel(*state_->server, metadata);
}

void RpcServer::Tick() { state_->idle.Look(state_->clock.Monotonic()); }

void RpcServer::SetServing(bool serving) {
  if (state_->server == nullptr || state_->serving.exchange(serving) == serving) return;
  grpc::HealthCheckServiceInterface* health = state_->server->GetHealthCheckService();
  health->SetServingStatus(serving);
  for (const char* service : kServices) health->SetServingStatus(service, serving);
  if (serving) {
    LOG(INFO) << "health: serving again";
  } else {
    LOG(ERROR) << "health: not serving, since nothing can be acknowledged";
  }
}

void RpcServer::Shutdown(absl::Duration limit) {
  if (state_->server == nullptr) return;
  state_->server->GetHealthCheckService()->Shutdown();
  state_->server->Shutdown(absl::ToChronoTime(absl::Now() + limit));
  state_->server.reset();
}

}  // namespace bitwright::server
