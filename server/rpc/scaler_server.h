#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/base/clock.h"
#include "server/auth/audit_log.h"
#include "server/auth/authenticator.h"
#include "server/observe/metrics.h"
#include "server/rpc/lane.h"
#include "server/scheduler/scheduler.h"

namespace grpc {
class Server;
class ServerCredentials;
class Service;
}  // namespace grpc

namespace bitwright::server {

// An address that serves nothing but the numbers by which KEDA scales workers (proto/keda), with health and reflection.
// KEDA has no tokens, so nobody is asked for one: as with /metrics, whoever reaches the address may know how much work
// there is, of whom it is not said. It has a lane of its own, so that nobody here takes threads of the service.
class ScalerServer {
 public:
  struct Parts {
    Scheduler& scheduler;
    Metrics& metrics;
    const Clock& clock;
  };

  // `address` and `tls` as for RpcServer; what Parts refers to must outlive this. UNAVAILABLE, reason
  // SCALER_LISTEN_FAILED.
  static absl::StatusOr<std::unique_ptr<ScalerServer>> Start(const Parts& parts, const std::string& address,
                                                             std::shared_ptr<grpc::ServerCredentials> tls);
  ~ScalerServer();

  // Where it listens, with the real port.
  const std::string& address() const { return address_; }
  // Waits for running calls up to the limit, then cancels them. The scheduler must drain first.
  void Shutdown(absl::Duration limit);

 private:
  explicit ScalerServer(const Parts& parts);

  OpenAuthenticator everybody_;
  AuditLog no_audit_;
  Lane lane_;
  RpcEnvironment environment_;
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace bitwright::server
