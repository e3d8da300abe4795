// Measures a bitwrightd of its own under load; see the README of tests/bench.
#include <cstdio>
#include <functional>
#include <map>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "tests/bench/service/options.h"
#include "tests/bench/service/scenarios.h"
#include "tests/bench/service/storage.h"

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as the server does
  namespace server = bitwright::server;
  const server::BenchCommand command = server::ParseBenchCommand(argc, argv);
  if (!command.options) return command.exit_code;
  const server::BenchOptions& options = *command.options;
  const std::map<std::string, std::function<void(const server::BenchOptions&)>> scenarios = {
      {"fsync", server::MeasureStorage},   {"submit", server::MeasureSubmit},
      {"leases", server::MeasureLeases},   {"watchers", server::MeasureWatchers},
      {"uploads", server::MeasureUploads}, {"heartbeats", server::MeasureHeartbeats},
      {"pages", server::MeasurePages}};
  std::printf("%u cores; data below %s%s\n", std::thread::hardware_concurrency(), options.data_dir.c_str(),
              server::IsInMemory(options.data_dir) ? ", which is in memory: durability costs nothing there" : "");
  for (const std::string& scenario : options.scenarios) scenarios.at(scenario)(options);
  return 0;
}
