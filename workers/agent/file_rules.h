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

// The targets of the symbolic links in a folder, sorted; empty when it cannot be read.
std::vector<std::string> LinkTargets(const std::string& folder);

}  // namespace bitwright::worker
