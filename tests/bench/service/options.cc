#include "tests/bench/service/options.h"

#include <CLI/CLI.hpp>

namespace bitwright::server {
namespace {

const std::vector<std::string> kScenarios = {"fsync", "submit", "leases", "watchers", "heartbeats", "pages", "uploads"};

// Sizes at which every scenario takes a second or two and measures nothing.
void MakeTiny(BenchOptions& options) {
  options.jobs = 50;
  options.workers = 10;
  options.live_tasks = 50;
  options.pairs = 50;
  options.watched_jobs = 5;
  options.watchers = 50;
  options.changes = 50;
  options.seconds = 0.5;
  options.upload_bytes = int64_t{32} << 20;
}

}  // namespace

BenchCommand ParseBenchCommand(int argc, const char* const* argv) {
  BenchOptions options;
  // Before the others, which then change what they name.
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--smoke") MakeTiny(options);
  }
  bool smoke = false;
  CLI::App app("Measures a bitwrightd of its own under load: one row for each scenario, with its targets.");
  app.add_option("--bitwrightd", options.bitwrightd, "Path of the server")->required();
  app.add_option("--data-dir", options.data_dir, "The server's folder is made below this one, which chooses the disk");
  app.add_option("--scenario", options.scenarios,
                 "fsync, submit, leases, watchers, heartbeats, pages, uploads; default: all")
      ->check(CLI::IsMember(kScenarios));
  app.add_flag("--smoke", smoke, "Tiny sizes: whether it works, not how fast");
  app.add_option("--jobs", options.jobs, "submit, pages: jobs that wait")->check(CLI::Range(1, 10'000'000));
  app.add_option("--clients", options.clients, "submit, pages: threads that create them")->check(CLI::Range(1, 256));
  app.add_option("--workers", options.workers, "leases, heartbeats: simulated workers")->check(CLI::Range(1, 10'000));
  app.add_option("--live-tasks", options.live_tasks, "leases: tasks on loan, and as many ready ones");
  app.add_option("--pairs", options.pairs, "leases: leases with their completions at full speed");
  app.add_option("--watched-jobs", options.watched_jobs, "watchers: jobs")->check(CLI::Range(1, 10'000));
  app.add_option("--watchers", options.watchers, "watchers: streams")->check(CLI::Range(1, 100'000));
  app.add_option("--changes", options.changes, "watchers: finished tasks");
  app.add_option("--seconds", options.seconds, "How long idling, heartbeats, paced leases and fsync each last");
  app.add_option("--upload-bytes", options.upload_bytes, "uploads: size of the blob")
      ->check(CLI::Range(int64_t{1} << 20, int64_t{1} << 40));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int kUsage = 2;
    return {std::nullopt, app.exit(error) == 0 ? 0 : kUsage};
  }
  if (options.scenarios.empty()) options.scenarios = kScenarios;
  if (options.data_dir.empty()) options.data_dir = "/var/tmp";  // where a temporary folder is no tmpfs
  return {options, 0};
}

}  // namespace bitwright::server
