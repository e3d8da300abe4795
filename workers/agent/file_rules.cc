#include "workers/agent/file_rules.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace bitwright::worker {

std::vector<FileRule> RulesFor(const TaskFolders& folders, std::span<const std::string> programs) {
  std::vector<FileRule> rules = {{folders.inputs, FileAccess::kRead},
                                 {folders.outputs, FileAccess::kFill},
                                 {"/proc/self/status", FileAccess::kRead},
                                 {"/proc/self/clear_refs", FileAccess::kReplace}};
  for (const std::string& path : folders.linked) rules.push_back({path, FileAccess::kRead});
  for (const std::string& path : programs) rules.push_back({path, FileAccess::kRun});
  return rules;
}

std::vector<std::string> LinkTargets(const std::string& folder) {
  std::vector<std::string> targets;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::error_code unread;
    if (!entry.is_symlink(unread)) continue;
    const std::filesystem::path target = std::filesystem::read_symlink(entry.path(), unread);
    if (!unread) targets.push_back(target.string());
  }
  std::sort(targets.begin(), targets.end());
  return targets;
}

}  // namespace bitwright::worker
