#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "bitwright/v1/capabilities.pb.h"
#include "proto/base/clock.h"
#include "server/auth/audit_log.h"
#include "server/auth/authenticator.h"
#include "server/blobs/blobs.h"
#include "server/blobs/disk_watch.h"
#include "server/blobs/held_blobs.h"
#include "server/observe/metrics.h"
#include "server/observe/span.h"
#include "server/resources/cache_entries.h"
#include "server/resources/jobs.h"
#include "server/resources/models.h"
#include "server/resources/recipes.h"
#include "server/resources/tasks.h"
#include "server/resources/tenants.h"
#include "server/resources/workers.h"
#include "server/scheduler/scheduler.h"

namespace grpc {
class Channel;
class ServerCredentials;
}  // namespace grpc

namespace bitwright::server {

// What the handlers call. All must outlive the server.
struct RpcParts {
  BlobStore& blobs;
  HeldBlobs& held;
  const DiskWatch& disk;
  ModelResources& models;
  JobResources& jobs;
  TaskResources& tasks;
  WorkerResources& workers;
  CacheEntries& cache;
  TenantResources& tenants;
  const RecipeResources& recipes;
  v1::Capabilities capabilities;
  Scheduler& scheduler;
  const Clock& clock;
  const Authenticator& authenticator;
  AuditLog& audit;
  Metrics& metrics;
  SpanSink* spans = nullptr;                       // of calls; null: none are written
  absl::Duration heartbeat;                        // interval that workers are told
  absl::Duration upload_idle = absl::Seconds(20);  // without bytes, until an upload's name is free for another stream
};

// Full names of all services but health and reflection.
std::span<const char* const> ServiceNames();

// The listening gRPC server with all services, health (of each service by its full name, and of "") and reflection.
// Bounded against hostile and slow clients: messages, metadata, streams of a connection, memory and threads of gRPC,
// queues (lanes.h); dead and idle connections are closed. deploy/README.md states the numbers.
// Health and reflection ask nobody who calls: probes and tools have no token, and both are public.
class RpcServer {
 public:
  // `address` is "HOST:PORT" (port 0: any) or "unix:/path". No `tls`: plaintext, and the caller has checked that the
  // address is reachable from this machine only. With it, a second, plaintext port of the loopback is opened for the
  // workers of this machine, which need no certificate then. UNAVAILABLE, reason LISTEN_FAILED.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(const RpcParts& parts, const std::string& address,
                                                          std::shared_ptr<grpc::ServerCredentials> tls = nullptr);
  ~RpcServer();

  // Where it listens, with the real port.
  const std::string& address() const;
  // Where workers of this machine reach it, in plaintext.
  const std::string& worker_address() const;
  // A channel to this server that leaves the process nowhere, for what in this process speaks for others: each of its
  // calls carries the metadata, and is asked who calls like any other. Not after Shutdown.
  std::shared_ptr<grpc::Channel> OpenInProcess(const std::map<std::string, std::string>& metadata) const;
  // To be called each second: ends uploads that bring nothing.
  void Tick();
  // What health checks are told, of the server and each service: whether what is asked can be acknowledged. True from
  // the start. Logs a change. Not after Shutdown.
  void SetServing(bool serving);
  // Ends: waits for running calls up to the limit, then cancels them. The scheduler must drain first, so that waiting
  // calls end.
  void Shutdown(absl::Duration limit);

 private:
  struct State;
  explicit RpcServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::server
