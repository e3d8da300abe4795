#include "server/rpc/rpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>

#include <vector>

#include "absl/time/clock.h"
#include "proto/contract/limits.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/rpc_errors.h"
#include "server/rpc/services.h"
#include "server/rpc/work_pool.h"

namespace bitwright::server {
namespace {

constexpr int kPoolThreads = 16;
constexpr int kFrameBytes = 4 << 20;
constexpr int kLookaheadBytes = 16 << 20;

// By the names that health checks ask for; the e2e test holds them to what reflection lists.
constexpr const char* kServices[] = {"bitwright.v1.BlobService",    "bitwright.v1.CapabilityService",
                                     "bitwright.v1.ModelService",   "bitwright.v1.JobService",
                                     "bitwright.v1.RecipeService",  "bitwright.v1.WorkerService",
                                     "google.bytestream.ByteStream"};

void Configure(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(limits::kMaxMessageBytes);
  builder.SetMaxSendMessageSize(-1);
  // Two servers on one port would each get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Uploads are a few long streams: large frames and a window that does not wait for round trips.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_WRITE_BUFFER_SIZE, kFrameBytes);
}

std::string BoundAddress(const std::string& address, int port) {
  if (address.starts_with("unix:")) return address;
  return address.substr(0, address.rfind(':') + 1) + std::to_string(port);
}

}  // namespace

struct RpcServer::State {
  State(Metrics& metrics, const Clock& clock) : pool(kPoolThreads), environment{metrics, pool, clock} {}
  WorkPool pool;
  RpcEnvironment environment;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

RpcServer::RpcServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(const RpcParts& parts, const std::string& address) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto state = std::make_unique<State>(parts.metrics, parts.clock);
  RpcEnvironment& environment = state->environment;
  state->services.push_back(MakeBlobService(environment, parts.held, parts.clock));
  state->services.push_back(MakeByteStreamService(environment, parts.blobs, parts.held, parts.clock));
  state->services.push_back(MakeCapabilityService(environment, parts.capabilities));
  state->services.push_back(MakeModelService(environment, parts.models));
  state->services.push_back(MakeRecipeService(environment, parts.recipes));
  state->services.push_back(MakeJobService(environment, parts.jobs, parts.scheduler));
  state->services.push_back(MakeWorkerService(environment, parts.scheduler, parts.clock, parts.heartbeat));
  grpc::ServerBuilder builder;
  Configure(builder);
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  for (const auto& service : state->services) builder.RegisterService(service.get());
  state->server = builder.BuildAndStart();
  if (state->server == nullptr || port == 0) return ListenFailedError(address);
  for (const char* service : kServices) state->server->GetHealthCheckService()->SetServingStatus(service, true);
  state->address = BoundAddress(address, port);
  return std::unique_ptr<RpcServer>(new RpcServer(std::move(state)));
}

RpcServer::~RpcServer() { Shutdown(absl::ZeroDuration()); }

const std::string& RpcServer::address() const { return state_->address; }

void RpcServer::Shutdown(absl::Duration limit) {
  if (state_->server == nullptr) return;
  state_->server->GetHealthCheckService()->Shutdown();
  state_->server->Shutdown(absl::ToChronoTime(absl::Now() + limit));
  state_->server.reset();
}

}  // namespace bitwright::server
