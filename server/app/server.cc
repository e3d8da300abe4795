#include "server/app/server.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <optional>
#include <thread>
#include <tuple>

#include "proto/base/failpoint.h"
#include "proto/base/host_name.h"
#include "proto/base/log.h"
#include "proto/base/log_words.h"
#include "proto/base/machine_memory.h"
#include "proto/base/status_macros.h"
#include "proto/contract/notices.h"
#include "proto/recipes/shipped_recipes.h"
#include "server/app/access.h"
#include "server/app/app_errors.h"
#include "server/app/data_dir.h"
#include "server/app/job_planner.h"
#include "server/app/listen_address.h"
#include "server/app/local_workers.h"
#include "server/app/periodic.h"
#include "server/app/tracing.h"
#include "server/blobs/disk_blobs.h"
#include "server/blobs/disk_watch.h"
#include "server/resources/capabilities.h"
#include "server/resources/collector.h"
#include "server/resources/tenants.h"
#include "server/rpc/rpc_server.h"
#include "server/rpc/scaler_server.h"
#include "server/store/sqlite_store.h"
#include "server/web/web_server.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kTickPause = absl::Milliseconds(100);
constexpr absl::Duration kWatchPause = absl::Seconds(1);
constexpr absl::Duration kMeasurePause = absl::Seconds(2);
constexpr absl::Duration kCollectPause = absl::Minutes(1);
constexpr absl::Duration kWorkerPatience = absl::Seconds(5);
// An idle client that does not look at its connection keeps the shutdown waiting for all of this.
constexpr absl::Duration kCallPatience = absl::Milliseconds(500);

SchedulerOptions ToSchedulerOptions(const Options& options, SpanSink* spans) {
  SchedulerOptions scheduler;
  scheduler.fleet.lease_ttl = absl::Seconds(options.lease_ttl_seconds);
  scheduler.fleet.lease_grace = absl::Seconds(options.lease_grace_seconds);
  scheduler.fleet.host = HostName();
  scheduler.tenant_running_jobs = options.tenant_limits.running_jobs;
  scheduler.spans = spans;
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

// Said at the start: afterwards a disk may grow or shrink.
absl::Status CheckWatermarks(const Options& options, const DiskProbe& probe) {
  ABSL_ASSIGN_OR_RETURN(const DiskSpace space, probe());
  const int64_t low = options.disk_low.BytesOf(space.total_bytes);
  const bool off = low == 0;
  return !off && options.disk_full.BytesOf(space.total_bytes) > low ? WatermarksCrossedError() : absl::OkStatus();
}

// A row that is written to find out whether the store takes any; collected with the requests of clients.
constexpr char kProbe[] = "server/probe";

v1::Notice DiskLow(int64_t free_bytes) {
  return MakeNotice("DISK_LOW", "the disk of the server's data directory has " + std::to_string(free_bytes >> 20) +
                                    " MiB left, below --disk-low, so that nothing new is begun; make room there, it "
                                    "then goes on by itself");
}

void LogUnlessOk(const absl::Status& status, const char* what) {
  if (!status.ok()) LOG(ERROR) << what << " failed: " << status.ToString();
}

}  // namespace

// In order of dependence: each refers to those above it only, and goes before them.
struct Server::Parts {
  std::unique_ptr<DataDir> data;
  Metrics metrics;
  std::unique_ptr<SpanSink> spans;  // null: none are written
  std::unique_ptr<Access> access;
  std::unique_ptr<Store> store;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<HeldBlobs> held_blobs;
  std::unique_ptr<DiskWatch> disk;
  std::unique_ptr<Planner> planner;
  std::optional<RecipeResources> recipes;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<ModelResources> models;
  std::unique_ptr<JobResources> jobs;
  std::unique_ptr<TenantResources> tenants;
  std::optional<TaskResources> tasks;
  std::optional<WorkerResources> fleet;
  std::optional<CacheEntries> cache;
  std::unique_ptr<Collector> collector;
  std::unique_ptr<RpcServer> rpc;
  std::unique_ptr<WebServer> web;
  std::unique_ptr<ScalerServer> scaler;
  std::unique_ptr<Periodic> watch;
  std::unique_ptr<Periodic> tick;
  std::unique_ptr<Periodic> measure;
  std::unique_ptr<Periodic> collect;
  std::unique_ptr<LocalWorkers> workers;
  int metrics_port = 0;
  std::atomic<bool> store_refuses = false;  // its last commit

  absl::Status Open(const Options& options, const Clock& clock, ServerFakes fakes) {
    ABSL_ASSIGN_OR_RETURN(data, DataDir::Open(options.data_dir));
    ABSL_ASSIGN_OR_RETURN(access, Access::Open(options, *data));
    ABSL_ASSIGN_OR_RETURN(spans, StartTracing(options.tracing, BITWRIGHT_VERSION, clock, metrics));
    ABSL_ASSIGN_OR_RETURN(store,
                          OpenSqliteStore(data->database(), [this](int transactions, double seconds, bool committed) {
                            store_refuses = !committed;
                            if (committed) metrics.Committed(seconds, transactions);
                          }));
    DiskProbe probe = fakes.disk_probe ? std::move(fakes.disk_probe) : ProbeFolder(data->path());
    ABSL_RETURN_IF_ERROR(CheckWatermarks(options, probe));
    disk = std::make_unique<DiskWatch>(std::move(probe), options.disk_low, options.disk_full);
    ABSL_ASSIGN_OR_RETURN(blobs, OpenDiskBlobs(data->path(), std::move(fakes.disk_fault), options.uploads));
    const Quotas quotas(options.tenant_limits, [this](std::string_view quota) { metrics.QuotaRefused(quota); });
    held_blobs = std::make_unique<HeldBlobs>(*blobs, *store, quotas);
    ABSL_RETURN_IF_ERROR(held_blobs->Reconcile(clock.Now()));
    planner = MakeJobPlanner();
    ABSL_ASSIGN_OR_RETURN(recipes, RecipeResources::Parse(ShippedRecipes()));
    scheduler = std::make_unique<Scheduler>(*store, *held_blobs, *planner, clock, metrics,
                                            ToSchedulerOptions(options, spans.get()));
    models = std::make_unique<ModelResources>(*store, *scheduler, clock, quotas);
    ABSL_RETURN_IF_ERROR(models->IndexContent());
    jobs = std::make_unique<JobResources>(*store, *held_blobs, *scheduler, *planner, *recipes, clock, quotas);
    tenants = std::make_unique<TenantResources>(*store, *scheduler, options.tenant_limits);
    tasks.emplace(*store, *scheduler, *jobs, *models);
    fleet.emplace(*scheduler, clock);
    cache.emplace(*store);
    collector = std::make_unique<Collector>(*store, *blobs, *held_blobs, clock, metrics, ToCollectorOptions(options));
    ABSL_RETURN_IF_ERROR(jobs->IndexQueue());
    ABSL_RETURN_IF_ERROR(scheduler->Start());
    scheduler->Settle();  // leases of before are known before a worker asks for them
    return absl::OkStatus();
  }

  absl::Status Listen(const Options& options, const Clock& clock) {
    const RpcParts parts{.blobs = *blobs,
                         .held = *held_blobs,
                         .disk = *disk,
                         .models = *models,
                         .jobs = *jobs,
                         .tasks = *tasks,
                         .workers = *fleet,
                         .cache = *cache,
                         .tenants = *tenants,
                         .recipes = *recipes,
                         .capabilities = MakeCapabilities(BITWRIGHT_VERSION, *recipes),
                         .scheduler = *scheduler,
                         .clock = clock,
                         .authenticator = access->authenticator(),
                         .audit = access->audit(),
                         .metrics = metrics,
                         .spans = spans.get(),
                         .heartbeat = absl::Seconds(options.lease_ttl_seconds) / 3};
    ABSL_ASSIGN_OR_RETURN(rpc, RpcServer::Start(parts, options.listen, access->tls()));
    ABSL_RETURN_IF_ERROR(ServeMetrics(options));
    ABSL_RETURN_IF_ERROR(ServeWeb(options, clock));
    ABSL_RETURN_IF_ERROR(ServeScaler(options, clock));
    Watch();
    watch = std::make_unique<Periodic>(kWatchPause, [this] { Watch(); });
    LogUnlessOk(collector->Measure(), "measuring");
    tick = std::make_unique<Periodic>(kTickPause, [this] { scheduler->Tick(); });
    measure = std::make_unique<Periodic>(kMeasurePause, [this] { LogUnlessOk(collector->Measure(), "measuring"); });
    collect = std::make_unique<Periodic>(kCollectPause, [this] { LogUnlessOk(collector->Run(), "collection"); });
    return absl::OkStatus();
  }

  // A port that nobody asked for is no reason not to start.
  absl::Status ServeMetrics(const Options& options) {
    const bool chosen = options.metrics_listen.empty();
    std::string address = chosen ? MetricsAddressOf(options.listen) : options.metrics_listen;
    if (address == "off") return absl::OkStatus();
    absl::StatusOr<int> port = metrics.Serve(address);
    if (!port.ok() && chosen) {
      address = AnyPortOf(address);
      port = metrics.Serve(address);
    }
    ABSL_RETURN_IF_ERROR(port.status());
    metrics_port = *port;
    LOG(INFO) << "metrics are served at port " << metrics_port;
    return absl::OkStatus();
  }

  // Likewise. Under TLS it speaks TLS at any address.
  absl::Status ServeWeb(const Options& options, const Clock& clock) {
    const bool chosen = options.web_listen.empty();
    const std::string address = chosen ? WebAddressOf(options.listen) : options.web_listen;
    if (address == "off") return absl::OkStatus();
    WebServerOptions page{.identity = access->identity_file(), .client_ca = access->client_ca_file()};
    page.site.asks_for_tokens = !options.tokens_file.empty();
    page.site.version = BITWRIGHT_VERSION;
    std::tie(page.host, page.port) = HostAndPortOf(address);
    const auto open = [this](const auto& metadata) { return rpc->OpenInProcess(metadata); };
    absl::StatusOr<std::unique_ptr<WebServer>> started = WebServer::Start(page, open, clock);
    if (!started.ok() && chosen && page.port != 0) {
      page.port = 0;
      started = WebServer::Start(page, open, clock);
    }
    ABSL_RETURN_IF_ERROR(started.status());
    web = *std::move(started);
    LOG(INFO) << "the web page is at " << web->url();
    return absl::OkStatus();
  }

  absl::Status ServeScaler(const Options& options, const Clock& clock) {
    if (options.scaler_listen.empty()) return absl::OkStatus();
    ABSL_ASSIGN_OR_RETURN(scaler, ScalerServer::Start({.scheduler = *scheduler, .metrics = metrics, .clock = clock},
                                                      options.scaler_listen, access->tls()));
    LOG(INFO) << "KEDA is answered at " << scaler->address();
    return absl::OkStatus();
  }

  // Each second: what health checks, metrics, uploads and callers go by.
  void Watch() {
    access->Look();
    if (web != nullptr) web->Look();
    disk->Look();
    metrics.SetDisk(disk->free_bytes(), disk->total_bytes());
    scheduler->Pause(disk->accepts_work() ? std::nullopt : std::optional(DiskLow(disk->free_bytes())));
    // While nobody writes, nothing else would say that it takes writes again.
    if (store_refuses) (void)store->Write([](Transaction& tx) { return tx.PutRequest({.id = kProbe}); });
    rpc->SetServing(CanAcknowledge());
    rpc->Tick();
  }

  // Whether what clients send can be made durable.
  bool CanAcknowledge() const { return disk->state() != DiskWatch::State::kFull && !store_refuses; }

  absl::Status StartWorkers(const Options& options) {
    LocalWorkersOptions local;
    local.binary = WorkerBinary(options);
    const int64_t all = options.worker_memory_bytes > 0 ? options.worker_memory_bytes : MachineMemoryBytes();
    const std::string memory = std::to_string(MemoryOfEach(all, options.workers));
    for (int i = 0; i < options.workers; ++i) {
      ABSL_ASSIGN_OR_RETURN(const std::string work_dir, data->WorkDir(i));
      local.arguments.push_back({"--server", rpc->worker_address(), "--blob-dir", data->blobs(), "--work-dir", work_dir,
                                 "--threads", std::to_string(WorkerThreads(options)), "--memory", memory, "--device",
                                 options.worker_device, "--log-level", WordOf(LogLevels(), options.log_level),
                                 "--log-format", WordOf(LogFormats(), options.log_format)});
      if (const std::string& token = access->worker_token_file(); !token.empty()) {
        local.arguments.back().insert(local.arguments.back().end(), {"--token-file", token});
      }
    }
    local.on_exit = [this, host = HostName()](int process_id) { scheduler->ReleaseProcess(host, process_id); };
    local.stays_away = [this, host = HostName()](int process_id) { return scheduler->IsDismissed(host, process_id); };
    ABSL_ASSIGN_OR_RETURN(workers, LocalWorkers::Start(std::move(local)));
    return absl::OkStatus();
  }

  void Drain() {
    if (scheduler != nullptr) scheduler->BeginDrain();
    if (workers != nullptr) workers->Stop(kWorkerPatience);
    watch.reset();  // before the servers that it speaks of
    if (web != nullptr) web->Stop();
    if (rpc != nullptr) rpc->Shutdown(kCallPatience);
    if (scaler != nullptr) scaler->Shutdown(kCallPatience);
    collect.reset();
    measure.reset();
    tick.reset();
  }
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options, const Clock& clock, ServerFakes fakes) {
  ABSL_RETURN_IF_ERROR(CheckListenAddress(options.listen, ProtectionOf(options)));
  ABSL_RETURN_IF_ERROR(CheckWebAddress(options.web_listen, ProtectionOf(options)));
  if (!options.scaler_listen.empty()) {
    ABSL_RETURN_IF_ERROR(CheckListenAddress(options.scaler_listen, ScalerProtectionOf(options)));
  }
  ABSL_RETURN_IF_ERROR(CheckTlsOptions(options.tls));
  std::unique_ptr<Server> server(new Server(std::make_unique<Parts>()));
  Parts& parts = *server->parts_;
  ABSL_RETURN_IF_ERROR(parts.Open(options, clock, std::move(fakes)));
  Failpoint("server.opened");
  ABSL_RETURN_IF_ERROR(parts.Listen(options, clock));
  Failpoint("server.listening");
  ABSL_RETURN_IF_ERROR(parts.StartWorkers(options));
  if (!options.port_file.empty()) ABSL_RETURN_IF_ERROR(WritePortFile(options.port_file, server->address()));
  return server;
}

Server::~Server() { Drain(); }

const std::string& Server::address() const { return parts_->rpc->address(); }
const std::string& Server::worker_address() const { return parts_->rpc->worker_address(); }
int Server::metrics_port() const { return parts_->metrics_port; }
std::string Server::scaler_address() const { return parts_->scaler == nullptr ? "" : parts_->scaler->address(); }
std::vector<int> Server::worker_process_ids() const { return parts_->workers->process_ids(); }
std::string Server::web_url() const { return parts_->web == nullptr ? "" : parts_->web->url(); }
std::string Server::metrics_text() const { return parts_->metrics.Text(); }
void Server::Drain() { parts_->Drain(); }

}  // namespace bitwright::server
