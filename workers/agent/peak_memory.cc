#include "workers/agent/peak_memory.h"

#include <sys/resource.h>

#include <fstream>
#include <string>

namespace bitwright::worker {

int64_t PeakMemoryBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib * 1024;
  }
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

void ResetPeakMemory() {
  std::ofstream clear("/proc/self/clear_refs");
  clear << "5";  // proc(5): resets VmHWM
}

}  // namespace bitwright::worker
