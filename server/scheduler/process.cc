#include "server/scheduler/process.h"

#include <signal.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>

namespace bitwright {

bool ProcessIsGone(int process_id) {
  if (::kill(process_id, 0) != 0 && errno == ESRCH) return true;
  // "id (name) state …"; the name may hold anything.
  std::ifstream file("/proc/" + std::to_string(process_id) + "/stat");
  const std::string stat{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const size_t end = stat.rfind(") ");
  return end != std::string::npos && (stat.substr(end + 2, 1) == "Z" || stat.substr(end + 2, 1) == "X");
}

}  // namespace bitwright
