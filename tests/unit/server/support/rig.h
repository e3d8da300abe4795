#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/workers.pb.h"
#include "server/auth/call_context.h"
#include "server/blobs/blobs.h"
#include "server/blobs/held_blobs.h"
#include "server/observe/metrics.h"
#include "server/resources/collector.h"
#include "server/resources/jobs.h"
#include "server/resources/models.h"
#include "server/resources/tasks.h"
#include "server/resources/tenants.h"
#include "server/scheduler/scheduler.h"
#include "server/store/store.h"
#include "tests/support/fixtures.h"
#include "tests/unit/server/support/fake_clock.h"
#include "tests/unit/server/support/fault_store.h"

namespace bitwright::server {

// Who calls in tests where that does not matter.
inline const CallContext kCaller{.principal = {.name = "tester", .roles = Roles::All()}};
// Somebody of another tenant.
inline const CallContext kStranger{
    .principal = {.name = "stranger", .tenant = "strangers", .roles = {Role::kSubmitter}}};

// The server without network, on a fake clock, over a real database and blob folder. What a call leads to beside its
// answer has happened when a function of the rig returns. Failures of a step that a test takes for granted end the test
// program.
class Rig {
 public:
  Rig();

  // As after kill -9: everything in memory is gone, the directory stays.
  void Restart();

  // Time passes in steps of at most a second, each with a tick, as in the server; a leap in one step is a server that
  // was away.
  void Pass(double seconds);
  // A tick, and what follows from it.
  void Tick();

  // Of the caller's tenant.
  BlobDigest Put(const std::string& bytes, const CallContext& call = kCaller);
  BlobDigest PutAs(const BlobUser& user, const std::string& bytes);
  // A manifest whose blobs are held; different seeds give different files.
  v1::Manifest Files(const std::string& seed = "a", const CallContext& call = kCaller);
  // A READY model: creates one and plays the worker that inspects it.
  v1::Model ReadyModel(const std::string& seed = "a", const CallContext& call = kCaller);
  // The data of the returned spec is held.
  v1::JobSpec Spec(const std::string& model, double bits = 4.25, const CallContext& call = kCaller);
  v1::Job CreateJob(const v1::JobSpec& spec, const CallContext& call = kCaller);
  v1::Job QueuedJob() { return CreateJob(Spec(ReadyModel().name())); }

  std::string AddWorker(const std::function<void(v1::WorkerCapacity&)>& change = nullptr);
  // What LeaseTask answers at once.
  absl::StatusOr<std::optional<v1::Lease>> TryLease(const std::string& worker, bool small_only = false);
  v1::Lease Lease(const std::string& worker);  // there must be one
  // A result with these outputs, by name, which are held.
  v1::CompleteTaskRequest ResultOf(const std::string& worker, const v1::Lease& lease,
                                   const std::map<std::string, std::string>& outputs);
  // What the worker hands in for it.
  v1::CompleteTaskRequest Results(const std::string& worker, const v1::Lease& lease);
  absl::Status Complete(const std::string& worker, const v1::Lease& lease);
  absl::Status FailLease(const std::string& worker, const v1::Lease& lease, const absl::Status& error, bool machinery);
  bool Lost(const std::string& worker, const v1::Lease& lease);  // sends a heartbeat with it
  // Leases and completes until nothing is left; returns how many tasks ran.
  int RunAll(const std::string& worker, int limit = 1000);

  FakeClock clock;
  SchedulerOptions options;
  TenantLimits tenant_limits;  // of tenants without limits of their own; from the next Restart on
  CollectorOptions collector_options;
  TempDir dir;
  std::unique_ptr<Metrics> metrics;
  // Takes the place of the server's own fleet from the next Restart on.
  std::function<std::unique_ptr<Executor>()> make_executor;
  // Likewise that of the planner.
  std::function<std::unique_ptr<Planner>()> make_planner;
  FaultStore* faults = nullptr;  // the store
  std::unique_ptr<Store> store;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<HeldBlobs> held;
  std::unique_ptr<Planner> planner;
  std::unique_ptr<RecipeResources> recipes;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<ModelResources> models;
  std::unique_ptr<JobResources> jobs;
  std::unique_ptr<TenantResources> tenants;
  std::unique_ptr<TaskResources> tasks;
  std::unique_ptr<Collector> collector;

 private:
  void Open();
  std::string WithProvenance(const std::string& report_bytes, const v1::TaskSpec& spec);
  int uploads_ = 0;
};

}  // namespace bitwright::server
