#include "proto/base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "proto/base/files.h"
#include "proto/base/owned_fd.h"

namespace bitwright {
namespace {

// Everything that the child needs, made before the fork: between fork and exec only async-signal-safe calls are
// allowed.
struct Launch {
  const char* program;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  int standard[3];  // −1: /dev/null for input, shared for the others
  int report;       // written to when the program cannot be run
  bool own_group;
  bool ends_with_thread;
  bool core_dumps;
  pid_t parent;
};

[[noreturn]] void Fail(const Launch& launch) {
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(launch.report, &error, sizeof error);
  ::_exit(127);
}

void CloseAllBut(int kept) {
#ifdef SYS_close_range
  if (::syscall(SYS_close_range, 3U, static_cast<unsigned>(kept) - 1, 0U) == 0 &&
      ::syscall(SYS_close_range, static_cast<unsigned>(kept) + 1, ~0U, 0U) == 0) {
    return;
  }
#endif
  struct rlimit files {};
  ::getrlimit(RLIMIT_NOFILE, &files);
  for (int fd = 3; fd < static_cast<int>(files.rlim_cur); ++fd) {
    if (fd != kept) ::close(fd);
  }
}

// Above 2 first: dup2 onto a standard descriptor must not overwrite another that is still to be moved.
void Redirect(Launch& launch) {
  int moved[3];
  for (int i = 0; i < 3; ++i) {
    const int from = i == 0 && launch.standard[i] < 0 ? ::open("/dev/null", O_RDONLY) : launch.standard[i];
    moved[i] = from < 0 ? -1 : ::fcntl(from, F_DUPFD, 3);
    if (from >= 0 && moved[i] < 0) Fail(launch);
  }
  for (int i = 0; i < 3; ++i) {
    if (moved[i] >= 0 && ::dup2(moved[i], i) < 0) Fail(launch);
  }
  launch.report = ::fcntl(launch.report, F_DUPFD_CLOEXEC, 4);
  CloseAllBut(launch.report);
}

[[noreturn]] void Become(Launch& launch) {
  if (launch.own_group) ::setpgid(0, 0);
  if (launch.ends_with_thread) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != launch.parent) ::_exit(127);  // it died before the line above
  }
  Redirect(launch);
  const struct rlimit none {};
  if (!launch.core_dumps) ::setrlimit(RLIMIT_CORE, &none);
  sigset_t no_signals;
  ::sigemptyset(&no_signals);
  ::sigprocmask(SIG_SETMASK, &no_signals, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execve(launch.program, launch.arguments.data(), launch.environment.data());
  Fail(launch);
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<char*> OwnEnvironment() {
  std::vector<char*> pointers;
  for (char** entry = environ; *entry != nullptr; ++entry) pointers.push_back(*entry);
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

pid_t StartProcess(const ProcessOptions& options) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return -1;
  const OwnedFd report(ends[0]);
  OwnedFd report_write(ends[1]);
  Launch launch = {
      .program = options.program.c_str(),
      .arguments = Pointers(options.arguments),
      .environment = options.environment ? Pointers(*options.environment) : OwnEnvironment(),
      .standard = {options.input_fd, options.output_fd, options.error_fd},
      .report = report_write.get(),
      .own_group = options.own_group,
      .ends_with_thread = options.ends_with_thread,
      .core_dumps = options.core_dumps,
      .parent = ::getpid(),
  };
  const pid_t process = ::fork();
  if (process < 0) return -1;
  if (process == 0) Become(launch);
  if (options.own_group) ::setpgid(process, process);  // here too, so that a signal to the group works however early
  report_write.Close();
  int error = 0;
  ssize_t got;
  while ((got = ::read(report.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (got != sizeof error) return process;  // the pipe closed at exec
  while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
  }
  errno = error;
  return -1;
}

bool ProcessIsGone(pid_t process) {
  if (::kill(process, 0) != 0 && errno == ESRCH) return true;
  // "id (name) state …"; the name may hold anything.
  const OwnedFd file(::open(absl::StrCat("/proc/", process, "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::string stat(4096, '\0');
  const ssize_t got = file.get() < 0 ? -1 : ReadAt(file.get(), 0, stat.data(), stat.size());
  stat.resize(got < 0 ? 0 : static_cast<size_t>(got));
  const size_t end = stat.rfind(") ");
  return end != std::string::npos && (stat.substr(end + 2, 1) == "Z" || stat.substr(end + 2, 1) == "X");
}

}  // namespace bitwright
