#include "server/rpc/scaler_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <utility>

#include "absl/time/clock.h"
#include "server/rpc/lanes.h"
#include "server/rpc/rpc_errors.h"
#include "server/rpc/server_bounds.h"
#include "server/rpc/services.h"

namespace bitwright::server {
namespace {

constexpr size_t kMessageBytes = size_t{16} << 20;

}  // namespace

ScalerServer::ScalerServer(const Parts& parts)
    : lane_(kScalerLane, parts.metrics),
      environment_{parts.metrics, lane_, parts.clock, everybody_, no_audit_},
      service_(MakeScalerService(environment_, parts.scheduler)) {}

absl::StatusOr<std::unique_ptr<ScalerServer>> ScalerServer::Start(const Parts& parts, const std::string& address,
                                                                  std::shared_ptr<grpc::ServerCredentials> tls) {
  std::unique_ptr<ScalerServer> scaler(new ScalerServer(parts));
  grpc::ServerBuilder builder;
  BoundServer(builder, kMessageBytes);
  int port = 0;
  builder.AddListeningPort(address, tls != nullptr ? std::move(tls) : grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(scaler->service_.get());
  scaler->server_ = builder.BuildAndStart();
  if (scaler->server_ == nullptr || port == 0) return ScalerListenFailedError(address);
  scaler->address_ = BoundAddress(address, port);
  return scaler;
}

ScalerServer::~ScalerServer() { Shutdown(absl::ZeroDuration()); }

void ScalerServer::Shutdown(absl::Duration limit) {
  if (server_ == nullptr) return;
  server_->Shutdown(absl::ToChronoTime(absl::Now() + limit));
  server_.reset();
}

}  // namespace bitwright::server
