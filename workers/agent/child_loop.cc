#include "workers/agent/child_loop.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <new>
#include <optional>

#include "absl/synchronization/mutex.h"
#include "bitwright/v1/tasks.pb.h"
#include "google/rpc/status.pb.h"
#include "proto/base/clock.h"
#include "proto/base/failpoint.h"
#include "proto/base/machine_memory.h"
#include "proto/base/status_macros.h"
#include "proto/contract/rpc_status.h"
#include "workers/agent/agent_errors.h"
#include "workers/agent/code_version.h"
#include "workers/agent/confinement.h"
#include "workers/agent/peak_memory.h"
#include "workers/agent/pipe_frames.h"
#include "workers/base/base_errors.h"
#include "workers/base/thread_pool.h"
#include "workers/kernels/device.h"

namespace bitwright::worker {
namespace {

constexpr absl::Duration kProgressInterval = absl::Milliseconds(250);

// Writes progress events, few enough that RunTask may report often. Thread-safe.
class ProgressWriter {
 public:
  ProgressWriter(int out, const Clock& clock) : out_(out), clock_(clock) {}

  void Report(double fraction) {
    Failpoint("child.progress");
    absl::MutexLock lock(&mutex_);
    const MonotonicTime now = clock_.Monotonic();
    if (last_ && now - *last_ < kProgressInterval) return;
    last_ = now;
    v1::ExecuteEvent event;
    event.set_progress(std::clamp(fraction, 0.0, 1.0));
    // A broken pipe shows when the result is written.
    WriteFrame(out_, event).IgnoreError();
  }

 private:
  const int out_;
  const Clock& clock_;
  absl::Mutex mutex_;
  std::optional<MonotonicTime> last_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::vector<TaskOutputFile>> RunGuarded(const RunTaskFunction& run_task,
                                                       const v1::ExecuteRequest& request, TaskContext& context) {
  try {
    return run_task(request.task(), context);
  } catch (const std::bad_array_new_length& exception) {  // of a size that no machine has
    return TaskThrewError(exception.what());
  } catch (const std::bad_alloc&) {
    return OutOfMemoryError("task '" + request.task().kind() + "'", context.memory_bytes);
  } catch (const DeviceError& error) {
    return DeviceFailedError("task '" + request.task().kind() + "'", error.what());
  } catch (const std::exception& exception) {
    return TaskThrewError(exception.what());
  }
}

absl::StatusOr<v1::ExecuteResult> Run(const RunTaskFunction& run_task, const v1::ExecuteRequest& request,
                                      const MakeDeviceFunction& make_device, ThreadPool& pool, int out) {
  const auto path_of = [&](const std::string& sha256) { return request.input_dir() + "/" + sha256; };
  std::map<std::string, std::string> paths;
  for (const auto& input : request.task().inputs()) {
    const std::string path = path_of(input.digest().sha256());
    if (input.pieces().empty() || ::access(path.c_str(), F_OK) == 0) paths[input.name()] = path;
  }
  const SystemClock clock;
  ProgressWriter progress(out, clock);
  TaskContext context;
  context.input_path = [&](const std::string& name) {
    const auto found = paths.find(name);
    return found == paths.end() ? std::string() : found->second;
  };
  context.piece_path = path_of;
  context.output_dir = request.output_dir();
  context.pool = &pool;
  context.make_device = make_device;
  context.memory_bytes = request.memory_limit_bytes() > 0 ? request.memory_limit_bytes() : MachineMemoryBytes();
  context.progress = [&](double fraction) { progress.Report(fraction); };

  ResetPeakMemory();
  const MonotonicTime start = clock.Monotonic();
  ABSL_ASSIGN_OR_RETURN(std::vector<TaskOutputFile> outputs, RunGuarded(run_task, request, context));
  std::sort(outputs.begin(), outputs.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  v1::ExecuteResult result;
  for (const TaskOutputFile& output : outputs) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, DigestFile(request.output_dir() + "/" + output.file));
    auto* added = result.add_outputs();
    added->set_name(output.name);
    added->set_file(output.file);
    *added->mutable_digest() = ToProto(digest);
  }
  result.set_seconds(absl::ToDoubleSeconds(clock.Monotonic() - start));
  result.set_peak_memory_bytes(PeakMemoryBytes());
  return result;
}

}  // namespace

absl::Status RunChildLoop(int in, int out, const RunTaskFunction& run_task, const ConfineFunction& confine,
                          const MakeDeviceFunction& make_device) {
  std::unique_ptr<ThreadPool> pool;
  for (bool first = true;; first = false) {
    v1::ExecuteRequest request;
    ABSL_ASSIGN_OR_RETURN(const bool more, ReadFrame(in, request));
    if (!more) return absl::OkStatus();
    if (first && confine) ABSL_RETURN_IF_ERROR(confine(request));
    const int threads = std::max(1, request.threads());
    if (pool == nullptr || pool->threads() != threads) pool = std::make_unique<ThreadPool>(threads);
    LimitMemory(request.memory_limit_bytes());
    v1::ExecuteEvent event;
    Failpoint("child.task");
    auto result = Run(run_task, request, make_device, *pool, out);
    if (result.ok()) {
      *event.mutable_result() = *std::move(result);
    } else {
      *event.mutable_error() = ToProto(result.status());
    }
    Failpoint("child.executed");
    ABSL_RETURN_IF_ERROR(WriteFrame(out, event));
  }
}

}  // namespace bitwright::worker
