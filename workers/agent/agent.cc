#include "workers/agent/agent.h"

#include <grpcpp/channel.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "proto/base/failpoint.h"
#include "proto/base/host_name.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/transfer/channel.h"
#include "workers/agent/blob_cache.h"
#include "workers/agent/blob_client.h"
#include "workers/agent/lane.h"
#include "workers/agent/lane_memory.h"
#include "workers/agent/loaded_files.h"
#include "workers/agent/local_blobs.h"
#include "workers/agent/work_dir.h"
#include "workers/agent/worker_client.h"

namespace bitwright::worker {
namespace {

v1::WorkerCapacity Capacity(const AgentOptions& options) {
  v1::WorkerCapacity capacity;
  capacity.set_cores(options.threads);
  capacity.set_memory_bytes(AnnouncedBytes(options.memory_bytes));
  capacity.set_compute_class(options.compute_class);
  capacity.set_device(options.device.kind);
  capacity.set_device_name(options.device.name);
  capacity.set_device_memory_bytes(options.device.memory_bytes);
  capacity.set_code_version(options.code_version);
  capacity.set_host(HostName());
  capacity.set_process_id(::getpid());
  capacity.set_slots(1);
  return capacity;
}

}  // namespace

class Agent::Impl {
 public:
  explicit Impl(AgentOptions options) : options_(std::move(options)), libraries_(options_.watch_libraries) {}

  absl::Status Run() {
    ABSL_ASSIGN_OR_RETURN(const auto channel, OpenChannel(options_.server, options_.access, limits::kMaxMessageBytes));
    ABSL_ASSIGN_OR_RETURN(WorkDir work_dir, options_.work_dir.empty() ? WorkDir::OpenFree(options_.work_root)
                                                                      : WorkDir::Open(options_.work_dir));
    WorkerClient client(channel, Capacity(options_));
    BlobClient blobs(channel);
    return Work(client, blobs, work_dir);
  }

  void Stop() { stop_.Cancel(); }

  int child_pid() const {
    absl::MutexLock lock(&mutex_);
    return lanes_.empty() ? 0 : lanes_.front()->child_pid();
  }

 private:
  // What each lane reads from: one folder of blobs, but each holds those of its own task.
  struct Inputs {
    std::unique_ptr<InputSource> all;
    std::unique_ptr<InputSource> small;
  };

  absl::Status Work(WorkerClient& client, BlobClient& blobs, WorkDir& work_dir) {
    ABSL_ASSIGN_OR_RETURN(const Inputs inputs, OpenInputs(work_dir, blobs));
    ABSL_ASSIGN_OR_RETURN(const LaneDirs all_dirs, work_dir.NewLane("all"));
    ABSL_ASSIGN_OR_RETURN(const LaneDirs small_dirs, work_dir.NewLane("small"));
    Lane all(LaneFor(false, all_dirs), client, blobs, work_dir, *inputs.all, stop_, leave_);
    Lane small(LaneFor(true, small_dirs), client, blobs, work_dir, *inputs.small, stop_, leave_);
    const absl::Status registered = client.Register(stop_);
    if (!registered.ok()) return stop_.cancelled() ? absl::OkStatus() : registered;
    Failpoint("agent.registered");
    SetLanes({&all, &small});
    std::thread heartbeats([&] { SendHeartbeats(client); });
    std::thread small_tasks([&] { small.Run(); });
    all.Run();
    small_tasks.join();
    stop_.Cancel();  // where it was told to leave, heartbeats go on until here
    heartbeats.join();
    SetLanes({});
    client.Deregister().IgnoreError();  // the server notices anyway
    return libraries_.Check();
  }

  absl::StatusOr<Inputs> OpenInputs(const WorkDir& work_dir, BlobClient& blobs) {
    if (!options_.blob_dir.empty()) {
      return Inputs{std::make_unique<LocalBlobs>(options_.blob_dir), std::make_unique<LocalBlobs>(options_.blob_dir)};
    }
    ABSL_ASSIGN_OR_RETURN(std::unique_ptr<BlobCache> cache,
                          BlobCache::Open(work_dir.CachePath(), options_.cache_bytes, blobs));
    std::unique_ptr<BlobCache> beside = cache->Beside();
    return Inputs{std::move(cache), std::move(beside)};
  }

  LaneOptions LaneFor(bool small_only, const LaneDirs& dirs) const {
    const int64_t limit = options_.memory_limit_bytes;
    const int64_t small = SmallLaneBytes(limit);
    return {.small_only = small_only,
            .threads = small_only ? 1 : options_.threads,
            .memory_limit_bytes = small_only ? small : limit - small,
            .child_idle_limit = options_.child_idle_limit,
            .child = {options_.child_program, options_.compute_class, dirs.inputs, dirs.outputs,
                      options_.child_log_options, options_.device.option},
            .libraries = &libraries_};
  }

  void SendHeartbeats(WorkerClient& client) {
    while (!stop_.WaitFor(client.heartbeat_interval())) {
      // A child that starts from now on would compute with other code than this worker has announced.
      if (!libraries_.Check().ok()) return stop_.Cancel();
      Failpoint("agent.heartbeat");
      v1::HeartbeatRequest request;
      for (const Lane* lane : lanes()) lane->AddTo(request);
      const auto response = client.Heartbeat(std::move(request), stop_);
      if (!response.ok()) continue;
      for (Lane* lane : lanes()) lane->Obey(*response);
    }
  }

  std::vector<Lane*> lanes() const {
    absl::MutexLock lock(&mutex_);
    return lanes_;
  }
  void SetLanes(std::vector<Lane*> lanes) {
    absl::MutexLock lock(&mutex_);
    lanes_ = std::move(lanes);
  }

  const AgentOptions options_;
  const LibraryWatch libraries_;
  CancelToken stop_;
  CancelToken leave_;
  mutable absl::Mutex mutex_;
  std::vector<Lane*> lanes_ ABSL_GUARDED_BY(mutex_);  // while Run runs; the first is that of all tasks
};

Agent::Agent(AgentOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Agent::~Agent() = default;
absl::Status Agent::Run() { return impl_->Run(); }
void Agent::Stop() { impl_->Stop(); }
int Agent::child_pid() const { return impl_->child_pid(); }

}  // namespace bitwright::worker
