#include <unistd.h>

#include <algorithm>

#include "proto/base/wire_time.h"
#include "tests/bench/service/daemon.h"
#include "tests/bench/service/fleet.h"
#include "tests/bench/service/pace.h"
#include "tests/bench/service/process_use.h"
#include "tests/bench/service/scenarios.h"

namespace bitwright::server {
namespace {

constexpr int kTasksOfWorker = 5;

// What the server tells a worker that registers.
double Interval(Calls& calls) {
  const auto told = Calls::Must<v1::RegisterWorkerResponse>(*calls.workers, &v1::WorkerService::Stub::RegisterWorker,
                                                            v1::RegisterWorkerRequest());
  return absl::ToDoubleSeconds(FromProto(told.heartbeat_interval()));
}

}  // namespace

void MeasureHeartbeats(const BenchOptions& options) {
  Daemon daemon(options.bitwrightd, options.data_dir);
  Calls calls(daemon.address());
  const Workload workload(calls);
  const double interval = Interval(calls);
  // Two tasks of a job are ready at once.
  CreateJobs(daemon.address(), workload, options.workers * kTasksOfWorker / 2 + 1, options.clients);
  WorkerFleet fleet(daemon.address(), workload, options.workers, kTasksOfWorker);
  Latencies latencies;
  int lost = 0;
  const CpuShare client(::getpid());
  const CpuShare server(daemon.process());
  const double start = NowSeconds();
  for (int round = 0; round == 0 || NowSeconds() - start < options.seconds; ++round) {
    const std::vector<v1::HeartbeatRequest> beats = fleet.Heartbeats();
    for (size_t i = 0; i < beats.size(); ++i) {
      RestUntil(start + interval * (round + static_cast<double>(i) / static_cast<double>(beats.size())));
      const double before = NowSeconds();
      lost += calls.Beat(beats[i]).lost_size();
      latencies.Add(NowSeconds() - before);
    }
  }
  Row("heartbeats, " + std::to_string(options.workers) + " workers, " + std::to_string(kTasksOfWorker) + " tasks each")
      .AtMost("server", 100 * server.Take(), "% of a core", 5)
      .Value("p99", 1e3 * latencies.Quantile(0.99), "ms")
      .AtMost("leases lost", lost, "", 0)
      .Value("client", 100 * client.Take(), "% of a core")
      .Print();
}

}  // namespace bitwright::server
