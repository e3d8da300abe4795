#include "workers/agent/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/failpoint.h"
#include "proto/base/process.h"
#include "proto/base/status_macros.h"
#include "workers/agent/agent_errors.h"
#include "workers/agent/device_choice.h"
#include "workers/agent/pipe_frames.h"

namespace bitwright::worker {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(1);

// A child leaves when its input ends, which closes its output. Waits for that a short while.
void WaitForEnd(int out) {
  const SystemClock clock;
  const MonotonicTime deadline = clock.Monotonic() + kGrace;
  while (true) {
    const int64_t left = absl::ToInt64Milliseconds(deadline - clock.Monotonic());
    struct pollfd end = {out, POLLIN, 0};
    if (left <= 0 || ::poll(&end, 1, static_cast<int>(left)) <= 0) return;
    char buffer[4096];
    if (::read(out, buffer, sizeof buffer) <= 0) return;
  }
}

std::string Ending(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    return "was ended by signal " + std::to_string(signal) +
           (signal == SIGKILL ? ", perhaps by the kernel because the machine has too little memory," : "");
  }
  return "ended with code " + std::to_string(WEXITSTATUS(wait_status));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(const ChildOptions& options) {
  if (const int error = Failpoint("agent.child_start"); error != 0) return ChildNotStartedError(error);
  int in[2] = {-1, -1};
  int out[2] = {-1, -1};
  const bool piped = ::pipe2(in, O_CLOEXEC) == 0 && ::pipe2(out, O_CLOEXEC) == 0;
  const int error = errno;
  const OwnedFd child_in(in[0]);
  OwnedFd to_child(in[1]);
  OwnedFd from_child(out[0]);
  const OwnedFd child_out(out[1]);
  if (!piped) return ChildNotStartedError(error);
  std::vector<std::string> arguments = {"bitwright-worker", "--execute", "--compute-class", options.compute_class};
  arguments.insert(arguments.end(), options.log_options.begin(), options.log_options.end());
  std::vector<std::string> environment = {"OMP_NUM_THREADS=1"};
  if (!options.device.empty()) {
    arguments.insert(arguments.end(), {"--device", options.device});
    const std::vector<std::string> more = CudaEnvironment();
    environment.insert(environment.end(), more.begin(), more.end());
  }
  if (Failpoints::armed()) arguments.insert(arguments.end(), {"--failpoints", Failpoints::Schedule()});
  if (!options.inputs.empty()) arguments.insert(arguments.end(), {options.inputs, options.outputs});
  const pid_t pid = StartProcess({
      .program = options.program,
      .arguments = std::move(arguments),
      .environment = std::move(environment),
      .input_fd = child_in.get(),
      .output_fd = child_out.get(),
      .own_group = true,
      .ends_with_thread = true,
      .core_dumps = false,
  });
  if (pid < 0) return ChildNotStartedError(errno);
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, std::move(to_child), std::move(from_child)));
}

ChildProcess::~ChildProcess() {
  in_.Close();
  WaitForEnd(out_.get());
  Kill();
  absl::MutexLock lock(&mutex_);
  if (!reaped_) Reap();
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
  if (!reaped_ && !Reap()) return ChildDiedError("was lost");
  return ChildDiedError(Ending(wait_status_));
}

absl::StatusOr<v1::ExecuteEvent> ChildProcess::Execute(const v1::ExecuteRequest& request,
                                                       const std::function<void(double fraction)>& progress) {
  if (!WriteFrame(in_.get(), request).ok()) return Died();
  while (true) {
    v1::ExecuteEvent event;
    const auto more = ReadFrame(out_.get(), event);
    if (!more.ok() || !*more) return Died();
    switch (event.event_case()) {
      case v1::ExecuteEvent::kProgress:
        progress(event.progress());
        break;
      case v1::ExecuteEvent::kResult:
      case v1::ExecuteEvent::kError:
        return event;
      case v1::ExecuteEvent::EVENT_NOT_SET:
        return PipeBrokenError("an event of no known kind");
    }
  }
}

}  // namespace bitwright::worker
