#include "proto/base/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string_view>

namespace bitwright {
namespace {

// One line of /proc/self/cgroup, "ID:CONTROLLERS:PATH", as far as it is about memory.
struct MemoryGroup {
  std::string folder;  // of the hierarchy
  std::string path;    // of the group below it
  std::string file;    // that holds its limit
};

bool Names(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == wanted) return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

std::optional<MemoryGroup> ParseGroup(const std::string& root, const std::string& line) {
  const size_t first = line.find(':');
  const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
  if (second == std::string::npos) return std::nullopt;
  const std::string controllers = line.substr(first + 1, second - first - 1);
  const std::string path = line.substr(second + 1);
  if (controllers.empty()) return MemoryGroup{root + "/sys/fs/cgroup", path, "/memory.max"};
  if (!Names(controllers, "memory")) return std::nullopt;
  return MemoryGroup{root + "/sys/fs/cgroup/memory", path, "/memory.limit_in_bytes"};
}

}  // namespace

std::optional<int64_t> GroupMemoryLimit(const std::string& root) {
  std::optional<int64_t> least;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto group = ParseGroup(root, line);
    if (!group) continue;
    // In a container the path may be that of the host; the container's own limit is then at the root.
    for (std::string path = group->path;; path.resize(path.rfind('/'))) {
      std::ifstream file(group->folder + path + group->file);
      int64_t limit = 0;
      if (file >> limit && limit > 0) least = std::min(least.value_or(limit), limit);  // "max" is no number
      if (path.empty() || path.find('/') == std::string::npos) break;
    }
  }
  return least;
}

int64_t MachineMemoryBytes() {
  const int64_t physical = int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  return std::min(physical, GroupMemoryLimit("").value_or(physical));
}

}  // namespace bitwright
