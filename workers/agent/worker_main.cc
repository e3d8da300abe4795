#include "workers/agent/worker_main.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <thread>

#include "bitwright/v1/tasks.pb.h"
#include "proto/base/failpoint.h"
#include "proto/base/log.h"
#include "proto/base/log_words.h"
#include "proto/base/machine_memory.h"
#include "proto/base/status_macros.h"
#include "workers/agent/agent.h"
#include "workers/agent/code_version.h"
#include "workers/agent/confinement.h"
#include "workers/agent/file_rules.h"
#include "workers/agent/landlock.h"
#include "workers/agent/loaded_files.h"
#include "workers/kernels/compute_class.h"

namespace bitwright::worker {
namespace {

struct Flags {
  bool execute = false;
  bool exit_with_parent = false;
  int64_t memory = 0;
  LogSeverity log_level = LogSeverity::kInfo;
  LogFormat log_format = LogFormat::kText;
  std::vector<std::string> folders;  // of a child: inputs, outputs
  std::string failpoints;            // for tests
  AgentOptions agent;
};

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

// Exit code when the program is to end at once.
std::optional<int> Parse(int argc, char** argv, Flags& flags) {
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
    if (joins) agent.work_root = DefaultWorkRoot();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

// Holds the process to the files of its tasks.
absl::Status ConfineFiles(const Flags& flags, const v1::ExecuteRequest& first) {
  if (LandlockVersion() == 0) return absl::OkStatus();  // the agent has said so
  const bool given = flags.folders.size() == 2;
  const TaskFolders folders{.inputs = given ? flags.folders[0] : first.input_dir(),
                            .outputs = given ? flags.folders[1] : first.output_dir(),
                            .linked = LinkTargets(first.input_dir())};
  std::vector<std::string> programs = LoadedLibraryPaths();
  programs.push_back("/proc/self/exe");
  return HoldToFileRules(RulesFor(folders, programs));
}

int Execute(const Flags& flags, const WorkerProgram& program) {
  ::signal(SIGPIPE, SIG_IGN);
  Failpoint("child.start");
  GiveFreedMemoryBack();
  // What a library prints must not come between the messages.
  const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (out < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return 1;
  if (const absl::Status set = program.set_compute_class(flags.agent.compute_class); !set.ok()) {
    LOG(ERROR) << set;
    return 1;
  }
  if (!Confine()) LOG(WARNING) << "no seccomp here: tasks run without a system call filter";
  const absl::Status status = RunChildLoop(STDIN_FILENO, out, program.run_task,
                                           [&](const v1::ExecuteRequest& first) { return ConfineFiles(flags, first); });
  if (!status.ok()) LOG(ERROR) << status;
  // Without destructors: threads of libraries may still be there, and nothing is left to be saved.
  ::_exit(status.ok() ? 0 : 1);
}

// Blocks the signals that ask to stop, so that a thread of its own can wait for them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

absl::Status Complete(const WorkerProgram& program, Flags& flags) {
  AgentOptions& agent = flags.agent;
  if (agent.compute_class.empty()) agent.compute_class = program.detect_compute_class();
  ABSL_RETURN_IF_ERROR(program.set_compute_class(agent.compute_class));
  ABSL_ASSIGN_OR_RETURN(agent.code_version, CodeVersion("/proc/self/exe"));
  agent.child_log_options = {"--log-level", WordOf(LogLevels(), flags.log_level), "--log-format",
                             WordOf(LogFormats(), flags.log_format)};
  agent.watch_libraries = ComputingLibraryPaths();
  agent.memory_limit_bytes = flags.memory;
  agent.memory_bytes = flags.memory > 0 ? flags.memory : MachineMemoryBytes();
  return absl::OkStatus();
}

int Serve(const WorkerProgram& program, Flags& flags) {
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = BlockStopSignals();
  if (flags.exit_with_parent) {
    const pid_t parent = ::getppid();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) return 0;  // it has ended meanwhile
  }
  absl::Status status = Complete(program, flags);
  if (status.ok()) {
    if (LandlockVersion() == 0) {
      LOG(WARNING) << "no Landlock in this kernel: tasks can read and write all files of this user";
    }
    Agent agent(flags.agent);
    std::thread waiter([&] {
      int signal = 0;
      ::sigwait(&signals, &signal);
      agent.Stop();
    });
    status = agent.Run();
    ::pthread_kill(waiter.native_handle(), SIGTERM);
    waiter.join();
  }
  if (status.ok()) return 0;
  LOG(ERROR) << status;
  return 1;
}

}  // namespace

int WorkerMain(int argc, char** argv, const WorkerProgram& program) {
  Flags flags;
  if (const auto exit_code = Parse(argc, argv, flags)) return *exit_code;
  SetMinLogSeverity(flags.log_level);
  SetLogFormat(flags.log_format);
  if (const absl::Status armed = Failpoints::Arm(flags.failpoints, flags.execute ? ::getpid() : 0); !armed.ok()) {
    LOG(ERROR) << armed;
    return 2;
  }
  return flags.execute ? Execute(flags, program) : Serve(program, flags);
}

}  // namespace bitwright::worker
