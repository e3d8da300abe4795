#pragma once

#include <span>
#include <string>
#include <vector>

namespace bitwright::worker {

// What a task's process may do with a file, or with everything below a folder.
enum class FileAccess {
  kRead,     // read files, list folders
  kRun,      // read a file and map it as code
  kReplace,  // write into a file that is there
  kFill,     // make, write, read and remove plain files; no links, folders or devices
  kDevice,   // read, write and control a device that is there
};

struct FileRule {
  std::string path;
  FileAccess access = FileAccess::kRead;

  friend bool operator==(const FileRule&, const FileRule&) = default;
};

// The folders of a task's process.
struct TaskFolders {
  std::string inputs;   // of all its tasks
  std::string outputs;  // likewise
  // Files elsewhere to which links in `inputs` lead.
  std::vector<std::string> linked;
};

// All that a task's process may touch; what no rule covers it may not. `programs`: the executable and its libraries.
// From /proc it has what a task's peak of memory is measured with (peak_memory.h).
std::vector<FileRule> RulesFor(const TaskFolders& folders, std::span<const std::string> programs);

// What CUDA's driver touches in a process beside that, of what is there now: the devices of NVIDIA cards, what the
// kernel and its driver say of themselves and of the machine, the names of the process's own threads, and the driver's
// libraries beside `driver`, the path of libcuda. Sources: NVIDIA's own sandbox, which confines CUDA by Landlock
// (https://github.com/NVIDIA/OpenShell/pull/710, issues 1486 and 1628: device nodes and /proc/PID/task/TID/comm;
// without the right to write there cuInit fails with error 304), https://github.com/nolabs-ai/nono/pull/673 (the
// folders of the driver below /proc) and https://github.com/google/gvisor/issues/12876 (/sys/devices/system/node).
std::vector<FileRule> CudaRules(const std::string& driver);

// The targets of the symbolic links in a folder, sorted; empty when it cannot be read.
std::vector<std::string> LinkTargets(const std::string& folder);

}  // namespace bitwright::worker
