#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bitwright::server {

// What one run measures. The defaults are the sizes that the targets are stated for.
struct BenchOptions {
  std::string bitwrightd;              // path of the server
  std::string data_dir;                // the server's folder is made below it; empty: below /var/tmp
  std::vector<std::string> scenarios;  // in the order of the table
  int jobs = 100'000;                  // submit: jobs that wait
  int clients = 8;                     // submit: threads that create them
  int workers = 200;                   // leases, heartbeats: simulated workers
  int live_tasks = 1'000;              // leases: tasks on loan, and as many that are ready
  int pairs = 5'000;                   // leases: how many are measured at full speed
  int watched_jobs = 100;              // watchers
  int watchers = 1'000;                // watchers: streams, spread over the jobs
  int changes = 1'000;                 // watchers: finished tasks whose news is awaited
  double seconds = 20;                 // idle, heartbeats, paced leases, fsync: how long each lasts at most
  int64_t upload_bytes = int64_t{2} << 30;
};

struct BenchCommand {
  std::optional<BenchOptions> options;  // nothing: help was shown or the arguments were wrong, both already printed
  int exit_code = 0;
};
BenchCommand ParseBenchCommand(int argc, const char* const* argv);

}  // namespace bitwright::server
