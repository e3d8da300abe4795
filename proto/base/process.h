#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace bitwright {

// How a program is started. Descriptors stay the caller's.
struct ProcessOptions {
  std::string program;                                  // path; not looked for in PATH
  std::vector<std::string> arguments;                   // argv, the program's name first
  std::optional<std::vector<std::string>> environment;  // "NAME=value" each; nothing: this process's
  int input_fd = -1;                                    // becomes standard input; −1: /dev/null
  int output_fd = -1;                                   // becomes standard output; −1: shared with this process
  int error_fd = -1;                                    // likewise standard error
  bool own_group = false;                               // leads a process group of its own, whose id is its own
  bool ends_with_thread = false;                        // gets SIGKILL when the *thread* that starts it ends
  bool core_dumps = true;
};

// Starts a program with no other open files, no blocked signals, and SIGPIPE at its default. Returns its process id
// once it runs, or −1 with errno, also when the program itself cannot be run. The caller reaps it.
pid_t StartProcess(const ProcessOptions& options);

// Whether no process of this machine has the id, or one that has ended and waits to be reaped. The processes that a
// killed server leaves belong to the machine's first process, which may take seconds for that.
bool ProcessIsGone(pid_t process);

}  // namespace bitwright
