#include "tests/bench/service/process_use.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace bitwright::server {

double CpuSeconds(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(file, line);
  const size_t end = line.rfind(") ");  // the name before it may hold anything
  if (end == std::string::npos) return 0;
  std::istringstream fields(line.substr(end + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double kernel = 0;
  fields >> user >> kernel;
  return (user + kernel) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

int64_t ResidentBytes(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  int64_t all = 0;
  int64_t resident = 0;
  file >> all >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

CpuShare::CpuShare(pid_t process) : process_(process), start_(clock_.Monotonic()), before_(CpuSeconds(process)) {}

double CpuShare::Take() const {
  return (CpuSeconds(process_) - before_) / absl::ToDoubleSeconds(clock_.Monotonic() - start_);
}

}  // namespace bitwright::server
