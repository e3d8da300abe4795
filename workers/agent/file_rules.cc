#include "workers/agent/file_rules.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <system_error>

namespace bitwright::worker {
namespace {

// Files of a folder whose names begin with one of these.
std::vector<std::string> FilesOf(const std::string& folder, std::initializer_list<std::string_view> beginnings) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (std::any_of(beginnings.begin(), beginnings.end(), [&](auto one) { return name.starts_with(one); })) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::vector<FileRule> RulesFor(const TaskFolders& folders, std::span<const std::string> programs) {
  std::vector<FileRule> rules = {{folders.inputs, FileAccess::kRead},
                                 {folders.outputs, FileAccess::kFill},
                                 {"/proc/self/status", FileAccess::kRead},
                                 {"/proc/self/clear_refs", FileAccess::kReplace}};
  for (const std::string& path : folders.linked) rules.push_back({path, FileAccess::kRead});
  for (const std::string& path : programs) rules.push_back({path, FileAccess::kRun});
  return rules;
}

std::vector<FileRule> CudaRules(const std::string& driver) {
  std::vector<FileRule> rules;
  // nvidiactl, nvidia0 …, nvidia-uvm, nvidia-uvm-tools; of parts of cards the capabilities in nvidia-caps. Not
  // nvidia-modeset, which is for screens.
  for (const std::string& path : FilesOf("/dev", {"nvidia"})) {
    if (path != "/dev/nvidia-modeset") rules.push_back({path, FileAccess::kDevice});
  }
  for (const char* path :
       {"/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/modules", "/proc/devices", "/proc/driver/nvidia",
        "/proc/driver/nvidia-uvm", "/proc/sys/vm", "/sys/devices/system", "/etc/ld.so.cache"}) {
    rules.push_back({path, FileAccess::kRead});
  }
  rules.push_back({"/proc/self/task", FileAccess::kReplace});
  const std::string folder = std::filesystem::path(driver).parent_path().string();
  for (const std::string& path : FilesOf(folder, {"libcuda", "libnvidia-"})) {
    rules.push_back({path, FileAccess::kRun});
  }
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
