#include "workers/agent/worker_flags.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <thread>

#include "proto/base/log_words.h"

namespace bitwright::worker {
namespace {

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Of the workers that join without a --work-dir: where this user's caches are; else a folder of its own among temporary
// files.
std::string DefaultWorkRoot() {
  if (const std::string cache = FromEnvironment("XDG_CACHE_HOME"); !cache.empty()) return cache + "/bitwright/workers";
  if (const std::string home = FromEnvironment("HOME"); !home.empty()) return home + "/.cache/bitwright/workers";
  const std::string temporary = FromEnvironment("TMPDIR");
  return (temporary.empty() ? "/tmp" : temporary) + "/bitwright-workers-" + std::to_string(::getuid());
}

void AddAccess(CLI::App& app, Access& access) {
  app.add_option("--token-file", access.token_file, "File whose first line is this worker's token");
  app.add_option("--tls-ca", access.tls_ca, "PEM file that the server's certificate is checked with, or \"system\"");
  app.add_option("--tls-cert", access.tls_cert, "PEM file of this worker's certificate");
  app.add_option("--tls-key", access.tls_key, "PEM file of its key");
}

}  // namespace

std::optional<int> ParseFlags(int argc, char** argv, WorkerFlags& flags) {
  CLI::App app("Runs tasks of a Bitwright server.");
  AgentOptions& agent = flags.agent;
  agent.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  auto* execute = app.add_flag("--execute", flags.execute, "Be the child that runs tasks (started by a worker)");
  app.add_option("folders", flags.folders, "Of a child: the folders below which its inputs and outputs are")
      ->expected(2)
      ->needs(execute)
      ->group("");
  auto* server = app.add_option("--server", agent.server, "HOST:PORT or unix:PATH of the server");
  app.add_option("--join", agent.server, "HOST:PORT of the server; unlike --server without need of a --work-dir")
      ->excludes(server);
  app.add_option("--work-dir", agent.work_dir, "Folder for running tasks and cached blobs, one for each worker");
  app.add_option("--blob-dir", agent.blob_dir, "The server's blob folder, when it is on this machine");
  AddAccess(app, agent.access);
  app.add_option("--threads", agent.threads, "Threads of a task (default: all cores)")->check(CLI::Range(1, 1024));
  app.add_option("--memory", flags.memory,
                 "Most bytes of memory that this worker's tasks may take together (default: all of the machine's, not "
                 "enforced)")
      ->check(CLI::Range(int64_t{1} << 20, int64_t{1} << 50));
  app.add_option("--cache-bytes", agent.cache_bytes, "Most bytes of downloaded blobs to keep (default: 20 GiB)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--compute-class", agent.compute_class, "Work like a machine of this narrower class");
  std::string device = "auto";
  app.add_option("--device", device,
                 "Compute on cpu, cuda (a free graphics processor), cuda:N, or auto: a free one, else the processor")
      ->capture_default_str()
      ->check([](const std::string& text) {
        return ParseDevice(text) ? std::string() : "'" + text + "' is none of cpu, cuda, cuda:N and auto";
      });
  app.add_option("--log-level", flags.log_level, "The least severe messages to log: debug, info, warning or error")
      ->transform(CLI::CheckedTransformer(LogLevels()));
  app.add_option("--log-format", flags.log_format, "text, or json: one object a line")
      ->transform(CLI::CheckedTransformer(LogFormats()));
  app.add_flag("--exit-with-parent", flags.exit_with_parent, "End when the process that started this one ends");
  if (const char* failpoints = std::getenv("BITWRIGHT_FAILPOINTS")) flags.failpoints = failpoints;
  app.add_option("--failpoints", flags.failpoints, "What a worker of a test hands on to its child")->needs("--execute");
  app.set_version_flag("--version", "bitwright-worker " BITWRIGHT_VERSION);
  try {
    app.parse(argc, argv);
    const bool joins = app.count("--join") > 0;
    if (execute->count() == 0 && (agent.server.empty() || (agent.work_dir.empty() && !joins))) {
      throw CLI::RequiredError("--join, or --server and --work-dir");
    }
    flags.device = *ParseDevice(device);
    // A child is told which; without a number it is the first.
    if (flags.execute && flags.device.kind == DeviceChoice::Kind::kCuda && !flags.device.ordinal)
      flags.device.ordinal = 0;
    if (joins) agent.work_root = DefaultWorkRoot();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace bitwright::worker
