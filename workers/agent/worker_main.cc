#include "workers/agent/worker_main.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include "proto/base/failpoint.h"
#include "proto/base/log.h"
#include "proto/base/log_words.h"
#include "proto/base/machine_memory.h"
#include "proto/base/status_macros.h"
#include "proto/contract/code_version.h"
#include "proto/contract/devices.h"
#include "workers/agent/agent.h"
#include "workers/agent/card_lock.h"
#include "workers/agent/child_main.h"
#include "workers/agent/code_version.h"
#include "workers/agent/landlock.h"
#include "workers/agent/loaded_files.h"
#include "workers/agent/worker_device.h"
#include "workers/agent/worker_flags.h"

namespace bitwright::worker {
namespace {

// Blocks the signals that ask to stop, so that a thread of its own can wait for them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// What the agent announces: its device, which `lock` keeps, class, code and memory.
absl::Status Complete(const WorkerProgram& program, WorkerFlags& flags, CardLock& lock) {
  AgentOptions& agent = flags.agent;
  // Of the program first, without the libraries of a device.
  const std::vector<std::string> of_program = LoadedLibraryPaths();
  ABSL_ASSIGN_OR_RETURN(agent.code_version, CodeVersion("/proc/self/exe"));
  ABSL_ASSIGN_OR_RETURN(const std::optional<CudaCard> card,
                        TakeCard(flags.device, agent.compute_class, program.cards, lock));
  ABSL_ASSIGN_OR_RETURN(agent.compute_class, ClassOf(agent.compute_class, card, program.detect_compute_class()));
  ABSL_RETURN_IF_ERROR(program.set_compute_class(agent.compute_class));
  if (card) {
    agent.device = {DeviceKind::kCuda, CudaName(card->ordinal), card->name, card->memory_bytes};
    agent.code_version = WithLibraries(agent.code_version, LibrariesVersion(ComputingLibraries(of_program)));
    LOG(INFO) << "computes on " << agent.device.option << ", " << agent.device.name;
  }
  agent.child_log_options = {"--log-level", WordOf(LogLevels(), flags.log_level), "--log-format",
                             WordOf(LogFormats(), flags.log_format)};
  agent.watch_libraries = ComputingLibraryPaths();
  agent.memory_limit_bytes = flags.memory;
  agent.memory_bytes = flags.memory > 0 ? flags.memory : MachineMemoryBytes();
  return absl::OkStatus();
}

int Serve(const WorkerProgram& program, WorkerFlags& flags) {
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = BlockStopSignals();
  if (flags.exit_with_parent) {
    const pid_t parent = ::getppid();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) return 0;  // it has ended meanwhile
  }
  CardLock lock;
  absl::Status status = Complete(program, flags, lock);
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
  WorkerFlags flags;
  if (const auto exit_code = ParseFlags(argc, argv, flags)) return *exit_code;
  SetMinLogSeverity(flags.log_level);
  SetLogFormat(flags.log_format);
  if (const absl::Status armed = Failpoints::Arm(flags.failpoints, flags.execute ? ::getpid() : 0); !armed.ok()) {
    LOG(ERROR) << armed;
    return 2;
  }
  return flags.execute ? ChildMain(flags, program) : Serve(program, flags);
}

}  // namespace bitwright::worker
