#include "server/app/server.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <thread>

#include "proto/base/failpoint.h"
#include "proto/base/host_name.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/recipes/shipped_recipes.h"
#include "server/app/data_dir.h"
#include "server/app/job_planner.h"
#include "server/app/listen_address.h"
#include "server/app/local_workers.h"
#include "server/app/periodic.h"
#include "server/blobs/disk_blobs.h"
#include "server/resources/capabilities.h"
#include "server/resources/collector.h"
#include "server/rpc/rpc_server.h"
#include "server/store/sqlite_store.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kTickPause = absl::Milliseconds(100);
constexpr absl::Duration kMeasurePause = absl::Seconds(2);
constexpr absl::Duration kCollectPause = absl::Minutes(1);
constexpr absl::Duration kWorkerPatience = absl::Seconds(5);
// An idle client that does not look at its connection keeps the shutdown waiting for all of this.
constexpr absl::Duration kCallPatience = absl::Milliseconds(500);

SchedulerOptions ToSchedulerOptions(const Options& options) {
  SchedulerOptions scheduler;
  scheduler.lease_ttl = absl::Seconds(options.lease_ttl_seconds);
  scheduler.lease_grace = absl::Seconds(options.lease_grace_seconds);
  scheduler.host = HostName();
  return scheduler;
}

CollectorOptions ToCollectorOptions(const Options& options) {
  CollectorOptions collector;
  collector.cache_bytes = options.cache_bytes;
  collector.grace = absl::Seconds(options.unused_blob_seconds);
  return collector;
}

std::string WorkerBinary(const Options& options) {
  if (!options.worker_binary.empty()) return options.worker_binary;
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string() + "/bitwright-worker";
}

int WorkerThreads(const Options& options) {
  if (options.worker_threads > 0) return options.worker_threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / std::max(1, options.workers));
}

void LogUnlessOk(const absl::Status& status, const char* what) {
  if (!status.ok()) LOG(ERROR) << what << " failed: " << status.ToString();
}

}  // namespace

// In order of dependence: each refers to those above it only, and goes before them.
struct Server::Parts {
  std::unique_ptr<DataDir> data;
  Metrics metrics;
  std::unique_ptr<Store> store;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<HeldBlobs> held_blobs;
  std::unique_ptr<Planner> planner;
  std::optional<RecipeResources> recipes;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<ModelResources> models;
  std::unique_ptr<JobResources> jobs;
  std::unique_ptr<Collector> collector;
  std::unique_ptr<RpcServer> rpc;
  std::unique_ptr<Periodic> tick;
  std::unique_ptr<Periodic> measure;
  std::unique_ptr<Periodic> collect;
  std::unique_ptr<LocalWorkers> workers;
  int metrics_port = 0;

  absl::Status Open(const Options& options, const Clock& clock, DiskFault fault) {
    ABSL_ASSIGN_OR_RETURN(data, DataDir::Open(options.data_dir));
    ABSL_ASSIGN_OR_RETURN(store, OpenSqliteStore(data->database()));
    ABSL_ASSIGN_OR_RETURN(blobs, OpenDiskBlobs(data->path(), std::move(fault)));
    held_blobs = std::make_unique<HeldBlobs>(*blobs, *store);
    ABSL_RETURN_IF_ERROR(held_blobs->Reconcile(clock.Now()));
    planner = MakeJobPlanner();
    ABSL_ASSIGN_OR_RETURN(recipes, RecipeResources::Parse(ShippedRecipes()));
    scheduler = std::make_unique<Scheduler>(*store, *held_blobs, *planner, clock, metrics, ToSchedulerOptions(options));
    models = std::make_unique<ModelResources>(*store, *scheduler, clock);
    ABSL_RETURN_IF_ERROR(models->IndexContent());
    jobs = std::make_unique<JobResources>(*store, *held_blobs, *scheduler, *planner, *recipes, clock);
    collector = std::make_unique<Collector>(*store, *blobs, *held_blobs, clock, metrics, ToCollectorOptions(options));
    return scheduler->Start();
  }

  absl::Status Listen(const Options& options, const Clock& clock) {
    if (options.metrics_listen != "off") {
      ABSL_ASSIGN_OR_RETURN(metrics_port, metrics.Serve(options.metrics_listen));
    }
    const RpcParts parts{.blobs = *blobs,
                         .held = *held_blobs,
                         .models = *models,
                         .jobs = *jobs,
                         .recipes = *recipes,
                         .capabilities = MakeCapabilities(BITWRIGHT_VERSION, *recipes),
                         .scheduler = *scheduler,
                         .clock = clock,
                         .metrics = metrics,
                         .heartbeat = absl::Seconds(options.lease_ttl_seconds) / 3};
    ABSL_ASSIGN_OR_RETURN(rpc, RpcServer::Start(parts, options.listen));
    LogUnlessOk(collector->Measure(), "measuring");
    tick = std::make_unique<Periodic>(kTickPause, [this] { scheduler->Tick(); });
    measure = std::make_unique<Periodic>(kMeasurePause, [this] { LogUnlessOk(collector->Measure(), "measuring"); });
    collect = std::make_unique<Periodic>(kCollectPause, [this] { LogUnlessOk(collector->Run(), "collection"); });
    return absl::OkStatus();
  }

  absl::Status StartWorkers(const Options& options) {
    LocalWorkersOptions local;
    local.binary = WorkerBinary(options);
    for (int i = 0; i < options.workers; ++i) {
      ABSL_ASSIGN_OR_RETURN(const std::string work_dir, data->WorkDir(i));
      local.arguments.push_back({"--server", rpc->address(), "--blob-dir", data->blobs(), "--work-dir", work_dir,
                                 "--threads", std::to_string(WorkerThreads(options))});
    }
    local.on_exit = [this, host = HostName()](int process_id) { scheduler->ReleaseProcess(host, process_id); };
    ABSL_ASSIGN_OR_RETURN(workers, LocalWorkers::Start(std::move(local)));
    return absl::OkStatus();
  }

  void Drain() {
    if (scheduler != nullptr) scheduler->BeginDrain();
    if (workers != nullptr) workers->Stop(kWorkerPatience);
    if (rpc != nullptr) rpc->Shutdown(kCallPatience);
    collect.reset();
    measure.reset();
    tick.reset();
  }
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options, const Clock& clock,
                                                      DiskFault disk_fault) {
  ABSL_RETURN_IF_ERROR(CheckListenAddress(options.listen));
  std::unique_ptr<Server> server(new Server(std::make_unique<Parts>()));
  Parts& parts = *server->parts_;
  ABSL_RETURN_IF_ERROR(parts.Open(options, clock, std::move(disk_fault)));
  Failpoint("server.opened");
  ABSL_RETURN_IF_ERROR(parts.Listen(options, clock));
  Failpoint("server.listening");
  ABSL_RETURN_IF_ERROR(parts.StartWorkers(options));
  if (!options.port_file.empty()) ABSL_RETURN_IF_ERROR(WritePortFile(options.port_file, server->address()));
  return server;
}

Server::~Server() { Drain(); }

const std::string& Server::address() const { return parts_->rpc->address(); }
int Server::metrics_port() const { return parts_->metrics_port; }
std::vector<int> Server::worker_process_ids() const { return parts_->workers->process_ids(); }
std::string Server::metrics_text() const { return parts_->metrics.Text(); }
void Server::Drain() { parts_->Drain(); }

}  // namespace bitwright::server
