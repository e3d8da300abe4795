#include "workers/agent/child_main.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "bitwright/v1/tasks.pb.h"
#include "proto/base/failpoint.h"
#include "proto/base/log.h"
#include "proto/base/owned_fd.h"
#include "proto/base/status_macros.h"
#include "proto/contract/compute_class.h"
#include "proto/contract/devices.h"
#include "workers/agent/confinement.h"
#include "workers/agent/file_rules.h"
#include "workers/agent/landlock.h"
#include "workers/agent/loaded_files.h"
#include "workers/agent/worker_device.h"
#include "workers/kernels/kernels_errors.h"

namespace bitwright::worker {
namespace {

// The path of CUDA's driver among these; empty: it is not loaded.
std::string DriverOf(const std::vector<std::string>& libraries) {
  const auto driver = std::find_if(libraries.begin(), libraries.end(), [](const std::string& path) {
    return path.find("/libcuda.so") != std::string::npos;
  });
  return driver == libraries.end() ? "" : *driver;
}

// Holds the process to the files of its tasks.
absl::Status ConfineFiles(const WorkerFlags& flags, const v1::ExecuteRequest& first) {
  if (LandlockVersion() == 0) return absl::OkStatus();  // the agent has said so
  const bool given = flags.folders.size() == 2;
  const TaskFolders folders{.inputs = given ? flags.folders[0] : first.input_dir(),
                            .outputs = given ? flags.folders[1] : first.output_dir(),
                            .linked = LinkTargets(first.input_dir())};
  std::vector<std::string> programs = LoadedLibraryPaths();
  programs.push_back("/proc/self/exe");
  std::vector<FileRule> rules = RulesFor(folders, programs);
  if (flags.device.ordinal) {
    const std::vector<FileRule> more = CudaRules(DriverOf(programs));
    rules.insert(rules.end(), more.begin(), more.end());
    // Held to the end: the rule is about this entry of /proc, which the kernel otherwise may make anew.
    static const OwnedFd threads(::open("/proc/self/task", O_PATH | O_CLOEXEC));
  }
  return HoldToFileRules(rules);
}

// The class that was announced, and the card, before anything is started or given up.
absl::Status PrepareChild(const WorkerProgram& program, const WorkerFlags& flags) {
  const std::string& compute_class = flags.agent.compute_class;
  ABSL_RETURN_IF_ERROR(program.set_compute_class(compute_class));
  const bool on_card = flags.device.ordinal.has_value();
  if ((DeviceOfClass(compute_class) == DeviceKind::kCuda) != on_card) {
    return ComputeClassUnavailableError(compute_class, on_card ? "that of the card" : program.detect_compute_class());
  }
  return on_card ? PrepareCard(*flags.device.ordinal, program.cards) : absl::OkStatus();
}

}  // namespace

int ChildMain(const WorkerFlags& flags, const WorkerProgram& program) {
  ::signal(SIGPIPE, SIG_IGN);
  Failpoint("child.start");
  GiveFreedMemoryBack();
  // What a library prints must not come between the messages.
  const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (out < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return 1;
  if (const absl::Status ready = PrepareChild(program, flags); !ready.ok()) {
    LOG(ERROR) << ready;
    return 1;
  }
  const std::optional<int> card = flags.device.ordinal;
  if (!Confine(card ? Confined::kCuda : Confined::kProcessor))
    LOG(WARNING) << "no seccomp here: tasks run without a system call filter";
  const absl::Status status = RunChildLoop(
      STDIN_FILENO, out, program.run_task, [&](const v1::ExecuteRequest& first) { return ConfineFiles(flags, first); },
      card ? DeviceMaker(*card, flags.agent.compute_class, program.cards) : nullptr);
  if (!status.ok()) LOG(ERROR) << status;
  // Without destructors: threads of libraries may still be there, and nothing is left to be saved.
  ::_exit(status.ok() ? 0 : 1);
}

}  // namespace bitwright::worker
