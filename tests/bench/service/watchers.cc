#include <unistd.h>

#include <algorithm>
#include <map>

#include "tests/bench/service/daemon.h"
#include "tests/bench/service/fleet.h"
#include "tests/bench/service/pace.h"
#include "tests/bench/service/process_use.h"
#include "tests/bench/service/scenarios.h"

namespace bitwright::server {
namespace {

constexpr int kConnections = 10;
constexpr int kBeginning = 100;  // watchers that begin at once
constexpr double kChangesPerSecond = 100;
constexpr absl::Duration kPatience = absl::Seconds(60);

// Tasks of the job that a worker has finished.
int FinishedBy(const v1::Job& job) {
  int count = 0;
  for (const v1::Stage& stage : job.stages()) count += stage.finished() - stage.cached();
  return count;
}

// One WatchJob stream: when each finished task of its job was first told.
class Watcher final : public grpc::ClientReadReactor<v1::Job> {
 public:
  Watcher(v1::JobService::Stub& stub, const std::string& job) : job_(job) {
    v1::WatchJobRequest request;
    request.set_name(job);
    request_ = request;
    stub.async()->WatchJob(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    {
      absl::MutexLock lock(&mutex_);
      begun_ = true;
      const double now = NowSeconds();
      for (int count = FinishedBy(message_); static_cast<int>(told_.size()) < count;) told_.push_back(now);
    }
    StartRead(&message_);
  }

  void OnDone(const grpc::Status& status) override {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    status_ = FromGrpc(status);
  }

  // When the first `count` were told; fewer, if they were not in time.
  std::vector<double> Told(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto all = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return told_.size() >= count || ended_; };
    mutex_.AwaitWithTimeout(absl::Condition(&all), kPatience);
    return told_;
  }

  void AwaitBegin() {
    absl::MutexLock lock(&mutex_);
    const auto heard = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return begun_ || ended_; };
    CHECK(mutex_.AwaitWithTimeout(absl::Condition(&heard), kPatience)) << "a watcher hears nothing";
    CHECK(begun_) << status_.ToString();
  }

  void End() {
    context_.TryCancel();
    absl::MutexLock lock(&mutex_);
    CHECK(mutex_.AwaitWithTimeout(absl::Condition(&ended_), kPatience)) << "a stream does not end";
  }

  const std::string& job() const { return job_; }

 private:
  const std::string job_;
  grpc::ClientContext context_;
  v1::WatchJobRequest request_;
  v1::Job message_;
  absl::Mutex mutex_;
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);  // once it has ended
  std::vector<double> told_ ABSL_GUARDED_BY(mutex_);
};

// When each finished task of each job was acknowledged to its worker.
class Acknowledged {
 public:
  void Add(const std::string& job) {
    absl::MutexLock lock(&mutex_);
    by_job_[job].push_back(NowSeconds());
  }
  std::map<std::string, std::vector<double>> by_job() {
    absl::MutexLock lock(&mutex_);
    return by_job_;
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, std::vector<double>> by_job_ ABSL_GUARDED_BY(mutex_);
};

struct Lags {
  Latencies told;
  int untold = 0;
};

Lags Compare(Acknowledged& acknowledged, const std::vector<std::unique_ptr<Watcher>>& watchers) {
  Lags lags;
  const auto by_job = acknowledged.by_job();
  for (const auto& watcher : watchers) {
    const auto found = by_job.find(watcher->job());
    if (found == by_job.end()) continue;
    const std::vector<double> told = watcher->Told(found->second.size());
    for (size_t i = 0; i < found->second.size(); ++i) {
      if (i < told.size()) {
        lags.told.Add(std::max(0.0, told[i] - found->second[i]));
      } else {
        lags.untold += 1;
      }
    }
  }
  return lags;
}

}  // namespace

void MeasureWatchers(const BenchOptions& options) {
  Daemon daemon(options.bitwrightd, options.data_dir, {"--lease-ttl", "3600"});
  Calls calls(daemon.address());
  const Workload workload(calls);
  std::vector<std::string> jobs;
  for (int i = 0; i < options.watched_jobs; ++i) jobs.push_back(calls.CreateJob(workload.Job(i)).name());
  std::vector<std::unique_ptr<Calls>> connections;
  for (int i = 0; i < kConnections; ++i) connections.push_back(std::make_unique<Calls>(daemon.address()));
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < options.watchers; ++i) {
    // A lane takes so many calls at once and refuses others, which would have to come again.
    if (i >= kBeginning) watchers[i - kBeginning]->AwaitBegin();
    watchers.push_back(std::make_unique<Watcher>(*connections[i % kConnections]->jobs, jobs[i % jobs.size()]));
  }
  for (const auto& watcher : watchers) watcher->AwaitBegin();
  Acknowledged acknowledged;
  // One task of each job on loan, oldest first: the changes go round the jobs.
  const int workers = std::max(1, options.watched_jobs / 5);
  WorkerFleet fleet(daemon.address(), workload, workers, options.watched_jobs / workers,
                    [&](const v1::Lease& lease) { acknowledged.Add(lease.owner()); });
  const CpuShare client(::getpid());
  const CpuShare server(daemon.process());
  const auto done = fleet.RunAtPace(options.changes, kChangesPerSecond);
  const double client_share = client.Take();
  const double server_share = server.Take();
  const Lags lags = Compare(acknowledged, watchers);
  for (const auto& watcher : watchers) watcher->End();
  Row("watchers, " + std::to_string(options.watchers) + " on " + std::to_string(jobs.size()) + " jobs")
      .AtMost("greatest lag", lags.told.Max(), "s", 1)
      .Value("p99", 1e3 * lags.told.Quantile(0.99), "ms")
      .AtMost("news that never came", lags.untold, "", 0)
      .Value("changes", options.changes / done.seconds, "/s")
      .Value("server", 100 * server_share, "% of a core")
      .Value("client", 100 * client_share, "% of a core")
      .Print();
}

}  // namespace bitwright::server
