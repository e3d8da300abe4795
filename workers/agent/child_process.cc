#include "workers/agent/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "proto/base/status_macros.h"
#include "workers/agent/agent_errors.h"
#include "workers/agent/pipe_frames.h"

namespace bitwright::worker {
namespace {

constexpr std::chrono::milliseconds kGrace(1000);

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  bool Open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read_end = ends[0];
    write_end = ends[1];
    return true;
  }
  void Close() const {
    if (read_end >= 0) ::close(read_end);
    if (write_end >= 0) ::close(write_end);
  }
};

void CloseFrom(unsigned first) {
  if (::syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  struct rlimit files {};
  ::getrlimit(RLIMIT_NOFILE, &files);
  for (unsigned fd = first; fd < files.rlim_cur; ++fd) ::close(static_cast<int>(fd));
}

// Between fork and exec: only calls that are safe there.
[[noreturn]] void BecomeChild(int in, int out, pid_t parent, const char* program, char* const* arguments,
                              char* const* environment) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  // Above 2 first: dup2 onto 0 and 1 must not overwrite the other pipe.
  const int safe_in = ::fcntl(in, F_DUPFD, 3);
  const int safe_out = ::fcntl(out, F_DUPFD, 3);
  if (safe_in < 0 || safe_out < 0 || ::dup2(safe_in, 0) < 0 || ::dup2(safe_out, 1) < 0) ::_exit(127);
  CloseFrom(3);
  const struct rlimit no_core {};
  ::setrlimit(RLIMIT_CORE, &no_core);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(program, arguments, environment);
  ::_exit(127);
}

// A child leaves when its input ends, which closes its output. Waits for that a short while.
void WaitForEnd(int out) {
  const auto deadline = std::chrono::steady_clock::now() + kGrace;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    struct pollfd end = {out, POLLIN, 0};
    if (left <= 0 || ::poll(&end, 1, static_cast<int>(left)) <= 0) return;
    char buffer[4096];
    if (::read(out, buffer, sizeof buffer) <= 0) return;
  }
}

std::string Ending(int wait_status) {
  if (WIFSIGNALED(wait_status)) return "was ended by signal " + std::to_string(WTERMSIG(wait_status));
  return "ended with code " + std::to_string(WEXITSTATUS(wait_status));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(const ChildOptions& options) {
  Pipe in;
  Pipe out;
  if (!in.Open() || !out.Open()) {
    const int error = errno;
    in.Close();
    return ChildNotStarted(error);
  }
  std::vector<std::string> texts = {"bitwright-worker", "--execute", "--compute-class", options.compute_class,
                                    "OMP_NUM_THREADS=1"};
  std::vector<char*> arguments = {texts[0].data(), texts[1].data(), texts[2].data(), texts[3].data(), nullptr};
  std::vector<char*> environment = {texts[4].data(), nullptr};
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    BecomeChild(in.read_end, out.write_end, parent, options.program.c_str(), arguments.data(), environment.data());
  }
  const int error = errno;
  ::close(in.read_end);
  ::close(out.write_end);
  if (pid < 0) {
    ::close(in.write_end);
    ::close(out.read_end);
    return ChildNotStarted(error);
  }
  ::setpgid(pid, pid);  // here too, so that Kill works however early it comes
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, in.write_end, out.read_end));
}

ChildProcess::~ChildProcess() {
  ::close(in_);
  WaitForEnd(out_);
  Kill();
  absl::MutexLock lock(&mutex_);
  if (!reaped_) Reap();
  ::close(out_);
}

void ChildProcess::Kill() {
  absl::MutexLock lock(&mutex_);
  if (!reaped_) ::kill(-pid_, SIGKILL);  // not reaped: the id is still the child's
}

bool ChildProcess::Reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  reaped_ = true;
  wait_status_ = status;
  return true;
}

absl::Status ChildProcess::Died() {
  Kill();  // it may have closed its pipe only
  absl::MutexLock lock(&mutex_);
  if (!reaped_ && !Reap()) return ChildDied("was lost");
  return ChildDied(Ending(wait_status_));
}

absl::StatusOr<v1::ExecuteEvent> ChildProcess::Execute(const v1::ExecuteRequest& request,
                                                       const std::function<void(double fraction)>& progress) {
  if (!WriteFrame(in_, request).ok()) return Died();
  while (true) {
    v1::ExecuteEvent event;
    const auto more = ReadFrame(out_, event);
    if (!more.ok() || !*more) return Died();
    switch (event.event_case()) {
      case v1::ExecuteEvent::kProgress:
        progress(event.progress());
        break;
      case v1::ExecuteEvent::kResult:
      case v1::ExecuteEvent::kError:
        return event;
      case v1::ExecuteEvent::EVENT_NOT_SET:
        return PipeBroken("an event of no known kind");
    }
  }
}

}  // namespace bitwright::worker
