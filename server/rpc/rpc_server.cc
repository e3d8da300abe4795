#include "server/rpc/rpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "proto/base/log.h"
#include "server/rpc/idle_streams.h"
#include "server/rpc/in_process.h"
#include "server/rpc/lanes.h"
#include "server/rpc/rpc_errors.h"
#include "server/rpc/server_bounds.h"
#include "server/rpc/services.h"
#include "server/rpc/upload_session.h"

namespace bitwright::server {
namespace {

constexpr char kAnyLoopbackPort[] = "127.0.0.1:0";
constexpr int kFrameBytes = 1 << 20;
constexpr int kWindowBytes = 4 << 20;
constexpr size_t kGrpcBytes = size_t{1} << 30;  // of messages that arrive or leave, in all connections

// By the names that health checks ask for; the e2e test holds them to what reflection lists.
constexpr const char* kServices[] = {
    "bitwright.v1.BlobService",     "bitwright.v1.CapabilityService", "bitwright.v1.ModelService",
    "bitwright.v1.JobService",      "bitwright.v1.RecipeService",     "bitwright.v1.WorkerService",
    "bitwright.v1.OperatorService", "externalscaler.ExternalScaler",  "google.bytestream.ByteStream"};

void Configure(grpc::ServerBuilder& builder) {
  // Uploads are a few long streams: large frames, and a window that does not wait for round trips. gRPC would widen it
  // to what the connection takes; then a heartbeat waits behind all that every upload sent ahead.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_WRITE_BUFFER_SIZE, kFrameBytes);
}

// "3.21.12", of the headers; the library of the same major version is linked.
std::string ProtobufVersion() { return google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION); }

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
  state->services.push_back(MakeScalerService(lanes.control, parts.scheduler));
  parts.metrics.SetBuild(parts.capabilities.version(), grpc::Version(), ProtobufVersion());
  grpc::ServerBuilder builder;
  BoundServer(builder, kGrpcBytes);
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
