#include "server/app/local_workers.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/process.h"
#include "server/app/app_errors.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(10);
constexpr absl::Duration kLookAgain = absl::Seconds(1);
constexpr absl::Duration kLivedWell = absl::Seconds(30);

std::string HowItEnded(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return "exit code " + std::to_string(info.si_status);
  return "signal " + std::to_string(info.si_status);
}

}  // namespace

int64_t MemoryOfEach(int64_t machine_bytes, int workers) { return machine_bytes / std::max(workers, 1); }

struct LocalWorkers::State {
  LocalWorkersOptions options;
  mutable absl::Mutex mutex;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  std::vector<pid_t> running ABSL_GUARDED_BY(mutex);  // process id per worker; 0: none
  std::vector<std::thread> threads;                   // one per worker, which starts it and waits for it

  bool NoneRuns() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return std::all_of(running.begin(), running.end(), [](pid_t id) { return id == 0; });
  }

  void Signal(int signal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    for (const pid_t id : running) {
      if (id != 0) ::kill(id, signal);
    }
  }

  // False: it could not be started.
  bool StartOne(size_t index) {
    absl::MutexLock lock(&mutex);
    if (stopping) return false;
    ProcessOptions process{.program = options.binary, .arguments = {options.binary}, .ends_with_thread = true};
    process.arguments.insert(process.arguments.end(), options.arguments[index].begin(), options.arguments[index].end());
    const pid_t id = StartProcess(process);
    if (id < 0) {
      LOG(ERROR) << "worker " << index << " cannot be started: " << std::strerror(errno);
      return false;
    }
    running[index] = id;
    return true;
  }

  // Its process id.
  pid_t WaitForOne(size_t index) {
    pid_t id = 0;
    {
      absl::MutexLock lock(&mutex);
      id = running[index];
    }
    siginfo_t info = {};
    while (::waitid(P_PID, id, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    bool expected = false;
    {
      // Reaped under the lock: until then the id cannot become another process's, and Signal may use it.
      absl::MutexLock lock(&mutex);
      ::waitpid(id, nullptr, 0);
      running[index] = 0;
      expected = stopping;
    }
    if (!expected) LOG(WARNING) << "worker " << index << " (process " << id << ") ended: " << HowItEnded(info);
    options.on_exit(id);
    return id;
  }

  // False: all are to end.
  bool Wait(absl::Duration pause) {
    absl::MutexLock lock(&mutex);
    return !mutex.AwaitWithTimeout(absl::Condition(&stopping), pause);
  }

  bool StaysAway(size_t index, pid_t ended) const {
    if (ended == 0 || !options.stays_away || !options.stays_away(ended)) return false;
    LOG(INFO) << "worker " << index << " (process " << ended << ") was drained; it is started again once uncordoned";
    return true;
  }

  void Supervise(size_t index) {
    const SystemClock clock;
    absl::Duration pause = kFirstPause;
    while (true) {
      const MonotonicTime start = clock.Monotonic();
      const pid_t ended = StartOne(index) ? WaitForOne(index) : 0;
      pause = clock.Monotonic() - start > kLivedWell ? kFirstPause : std::min(pause * 2, kLongestPause);
      if (!Wait(pause)) return;
      if (!StaysAway(index, ended)) continue;
      do {
        if (!Wait(kLookAgain)) return;
      } while (options.stays_away(ended));
      pause = kFirstPause;
    }
  }
};

LocalWorkers::LocalWorkers(std::unique_ptr<State> state) : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<LocalWorkers>> LocalWorkers::Start(LocalWorkersOptions options) {
  if (!options.arguments.empty() && ::access(options.binary.c_str(), X_OK) != 0) {
    return WorkerBinaryMissingError(options.binary);
  }
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  const size_t count = state->options.arguments.size();
  {
    absl::MutexLock lock(&state->mutex);
    state->running.assign(count, 0);
  }
  for (size_t i = 0; i < count; ++i) {
    state->threads.emplace_back([state = state.get(), i] { state->Supervise(i); });
  }
  return std::unique_ptr<LocalWorkers>(new LocalWorkers(std::move(state)));
}

LocalWorkers::~LocalWorkers() { Stop(absl::ZeroDuration()); }

void LocalWorkers::Stop(absl::Duration limit) {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
    state_->Signal(SIGTERM);
    if (!state_->mutex.AwaitWithTimeout(absl::Condition(state_.get(), &State::NoneRuns), limit)) {
      state_->Signal(SIGKILL);
    }
  }
  for (std::thread& thread : state_->threads) {
    if (thread.joinable()) thread.join();
  }
}

std::vector<pid_t> LocalWorkers::process_ids() const {
  absl::MutexLock lock(&state_->mutex);
  std::vector<pid_t> ids;
  for (const pid_t id : state_->running) {
    if (id != 0) ids.push_back(id);
  }
  return ids;
}

}  // namespace bitwright::server
