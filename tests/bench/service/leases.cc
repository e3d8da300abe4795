#include <unistd.h>

#include <algorithm>

#include "tests/bench/service/daemon.h"
#include "tests/bench/service/fleet.h"
#include "tests/bench/service/process_use.h"
#include "tests/bench/service/scenarios.h"

namespace bitwright::server {
namespace {

constexpr double kMostPace = 1000;
// At least, and not all of them: what no other job has in the cache. The last tasks of a job are ready one after the
// other; the queue must not run dry while workers are measured.
constexpr int kTasksOfJob = 4;

double PacedSeconds(const BenchOptions& options) { return std::min(options.seconds, 5.0); }

// Half of what the server can do, so that a call's time is its own and not that of the calls before it.
double PaceFor(const WorkerFleet::Done& full_speed) {
  return std::min(kMostPace, std::max(1.0, full_speed.pairs / full_speed.seconds / 2));
}

}  // namespace

void MeasureLeases(const BenchOptions& options) {
  // Leases outlast the run: heartbeats are measured apart.
  Daemon daemon(options.bitwrightd, options.data_dir, {"--lease-ttl", "3600"});
  Calls calls(daemon.address());
  const Workload workload(calls);
  const int held = std::max(1, options.live_tasks / options.workers);
  const int live = held * options.workers;
  // Two tasks of a job are ready at once: half of them go on loan, the others keep the queue filled. Each finished task
  // makes others ready, so that there are as many until the jobs run out.
  const int paced_pairs = static_cast<int>(kMostPace * PacedSeconds(options));
  CreateJobs(daemon.address(), workload, std::max(live, (live + options.pairs + paced_pairs) / kTasksOfJob),
             options.clients);
  WorkerFleet fleet(daemon.address(), workload, options.workers, held);
  const CpuShare client(::getpid());
  const CpuShare server(daemon.process());
  const auto full = fleet.RunAtFullSpeed(options.pairs, std::max(options.seconds, 1.0));
  const double client_share = client.Take();
  const double server_share = server.Take();
  const double pace = PaceFor(full);
  const auto paced = fleet.RunAtPace(std::max(10, static_cast<int>(pace * PacedSeconds(options))), pace);
  Row("leases, " + std::to_string(options.workers) + " workers, " + std::to_string(live) + " on loan")
      .AtLeast("pairs", full.pairs / full.seconds, "/s", 2000)
      .Value("of " + std::to_string(full.pairs) + " in", full.seconds, "s")
      .Value("p99 of a lease then", 1e3 * full.leases.Quantile(0.99), "ms")
      .AtMost("p99 of a lease at " + std::to_string(static_cast<int>(pace)) + " pairs/s",
              1e3 * paced.leases.Quantile(0.99), "ms", 50)
      .Value("server", 100 * server_share, "% of a core")
      .Value("client", 100 * client_share, "% of a core")
      .Print();
}

}  // namespace bitwright::server
