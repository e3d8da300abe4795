#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "tests/bench/service/daemon.h"
#include "tests/bench/service/pace.h"
#include "tests/bench/service/process_use.h"
#include "tests/bench/service/row.h"
#include "tests/bench/service/scenarios.h"
#include "tests/bench/service/workload.h"

namespace bitwright::server {
namespace {

constexpr double kMiB = 1 << 20;
constexpr int kMostUrgent = 10;

struct Submitted {
  Latencies latencies;
  double seconds = 0;
  double client_share = 0;
  std::string one_job;
};

Submitted Submit(const Daemon& daemon, const Workload& workload, const BenchOptions& options) {
  std::atomic<int> next{0};
  std::vector<Latencies> of_thread(options.clients);
  Submitted all;
  const CpuShare client(::getpid());
  const double start = NowSeconds();
  std::vector<std::thread> threads;
  for (int t = 0; t < options.clients; ++t) {
    threads.emplace_back([&, t] {
      Calls calls(daemon.address());
      for (int number = next++; number < options.jobs; number = next++) {
        const double before = NowSeconds();
        const v1::Job job = calls.CreateJob(workload.Job(number));
        of_thread[t].Add(NowSeconds() - before);
        if (number == options.jobs - 1) all.one_job = job.name();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  all.seconds = NowSeconds() - start;
  all.client_share = client.Take();
  for (const Latencies& one : of_thread) all.latencies.Add(one);
  return all;
}

// Seconds from the start of the program until it has answered about a job that waits.
double Restart(Daemon& daemon, const std::string& job) {
  daemon.Kill();
  const double start = NowSeconds();
  daemon.Start();
  Calls calls(daemon.address());
  v1::GetJobRequest request;
  request.set_name(job);
  const auto found = Calls::Must<v1::Job>(*calls.jobs, &v1::JobService::Stub::GetJob, request);
  CHECK(found.state() == v1::Job::QUEUED) << found.ShortDebugString();
  return NowSeconds() - start;
}

// A worker that takes one task after the other, as fast as it gets them.
class BusyWorker {
 public:
  BusyWorker(const Daemon& daemon, const Workload& workload)
      : thread_([this, &daemon, &workload] { Run(daemon, workload); }) {}
  ~BusyWorker() {
    stop_ = true;
    thread_.join();
  }

  // When it had the first task of this job, or of any job, as NowSeconds tells it; waits for that.
  double FirstLeaseOf(const std::string& job) {
    return Await([job](const auto& lease) { return lease.owner == job; });
  }
  double FirstLease() {
    return Await([](const auto&) { return true; });
  }

 private:
  struct Seen {
    double when;
    std::string owner;
  };

  void Run(const Daemon& daemon, const Workload& workload) {
    Calls calls(daemon.address());
    const std::string worker = calls.Register(1);
    while (!stop_) {
      const std::optional<v1::Lease> lease = calls.Lease(worker);
      if (!lease) continue;
      {
        absl::MutexLock lock(&mutex_);
        seen_.push_back({NowSeconds(), lease->owner()});
      }
      Calls::Must<v1::CompleteTaskResponse>(*calls.workers, &v1::WorkerService::Stub::CompleteTask,
                                            workload.Completion(worker, *lease));
    }
  }

  double Await(const std::function<bool(const Seen&)>& wanted) {
    absl::MutexLock lock(&mutex_);
    const auto found = [&]()
                           ABSL_NO_THREAD_SAFETY_ANALYSIS { return std::find_if(seen_.begin(), seen_.end(), wanted); };
    const auto there = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return found() != seen_.end(); };
    CHECK(mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Minutes(10))) << "the worker is passed over";
    return found()->when;
  }

  std::atomic<bool> stop_{false};
  absl::Mutex mutex_;
  std::vector<Seen> seen_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

// Seconds from the answer to the creation of an urgent job until the worker has its first task.
double PassTheQueue(const Daemon& daemon, const Workload& workload, int number) {
  Calls calls(daemon.address());
  BusyWorker worker(daemon, workload);
  worker.FirstLease();
  const std::string urgent = calls.CreateJob(workload.Job(number, kMostUrgent)).name();
  const double created = NowSeconds();
  return std::max(0.0, worker.FirstLeaseOf(urgent) - created);
}

}  // namespace

void MeasureSubmit(const BenchOptions& options) {
  Daemon daemon(options.bitwrightd, options.data_dir);
  std::optional<Calls> calls(std::in_place, daemon.address());
  const Workload workload(*calls);
  const Submitted submitted = Submit(daemon, workload, options);
  const double resident = static_cast<double>(ResidentBytes(daemon.process())) / kMiB;
  const CpuShare idle(daemon.process());
  Rest(std::min(options.seconds, 10.0));
  const double idle_share = 100 * idle.Take();
  calls.reset();
  const double restart = Restart(daemon, submitted.one_job);
  const double passed = PassTheQueue(daemon, workload, options.jobs);
  Row("submit " + std::to_string(options.jobs))
      .AtLeast("rate", options.jobs / submitted.seconds, "/s", 2000)
      .Value("p50", 1e3 * submitted.latencies.Quantile(0.5), "ms")
      .AtMost("p99", 1e3 * submitted.latencies.Quantile(0.99), "ms", 20)
      .AtMost("resident", resident, "MiB", 1024)
      .AtMost("idle", idle_share, "% of a core", 3)
      .AtMost("restart", restart, "s", 5)
      .AtMost("urgent", 1e3 * passed, "ms", 100)
      .Value("client", 100 * submitted.client_share, "% of a core")
      .Print();
}

}  // namespace bitwright::server
