#include "client/cli/local_server.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/api/client_errors.h"
#include "client/api/connection.h"
#include "client/cli/cli_errors.h"
#include "client/cli/interrupt.h"
#include "proto/base/clock.h"
#include "proto/base/files.h"
#include "proto/base/owned_fd.h"
#include "proto/base/process.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kStartTime = absl::Seconds(60);
constexpr absl::Duration kStopTime = absl::Seconds(15);
constexpr absl::Duration kLook = absl::Milliseconds(100);
constexpr absl::Duration kStopLook = absl::Milliseconds(5);

bool IsExecutable(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

// The data goes to the disk of temporary files, not to $XDG_RUNTIME_DIR where that can be avoided: that one is memory,
// too small for models. It is the way out when $TMPDIR cannot be written or is too long for the name of a socket.
absl::StatusOr<std::string> MakePrivateDir(const Environment& environment) {
  constexpr size_t kMostBytes = sizeof(sockaddr_un::sun_path) - sizeof("/socket");
  int error = ENOENT;
  std::string tried;
  for (const std::string& root : {environment.temp_dir, std::string("/tmp"), environment.runtime_dir}) {
    if (root.empty()) continue;
    std::string name = root + "/bitwright-XXXXXX";
    tried = root;
    if (name.size() > kMostBytes) {
      error = ENAMETOOLONG;
      continue;
    }
    if (::mkdtemp(name.data()) != nullptr) return name;
    error = errno;
  }
  return FileUnwritableError(tried, error);
}

}  // namespace

absl::StatusOr<std::string> FindDaemon(const Environment& environment) {
  if (!environment.daemon.empty()) {
    if (IsExecutable(environment.daemon)) return environment.daemon;
    return DaemonNotFoundError("BITWRIGHTD is '" + environment.daemon + "', not an executable file");
  }
  if (const std::string beside = environment.own_dir + "/bitwrightd"; IsExecutable(beside)) return beside;
  std::string_view path = environment.path;
  while (!path.empty()) {
    const size_t end = std::min(path.find(':'), path.size());
    const std::string candidate = std::string(path.substr(0, end)) + "/bitwrightd";
    if (end > 0 && IsExecutable(candidate)) return candidate;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return DaemonNotFoundError("neither beside this program nor in PATH");
}

absl::StatusOr<std::unique_ptr<LocalServer>> LocalServer::Start(const LocalOptions& options,
                                                                const Environment& environment,
                                                                std::shared_ptr<CancelToken> cancel) {
  ABSL_ASSIGN_OR_RETURN(const std::string daemon, FindDaemon(environment));
  std::unique_ptr<LocalServer> server(new LocalServer);
  ABSL_ASSIGN_OR_RETURN(server->private_dir_, MakePrivateDir(environment));
  ABSL_RETURN_IF_ERROR(server->StartDaemon(daemon, options));
  ABSL_RETURN_IF_ERROR(server->AwaitHealth(std::move(cancel)));
  return server;
}

absl::Status LocalServer::StartDaemon(const std::string& daemon, const LocalOptions& options) {
  owns_data_ = options.keep_data_dir.empty();
  data_dir_ = owns_data_ ? private_dir_ + "/data" : options.keep_data_dir;
  std::error_code error;
  const bool made = fs::create_directories(data_dir_, error);
  if (error) return FileUnwritableError(data_dir_, error.value());
  if (made) ::chmod(data_dir_.c_str(), 0700);
  log_path_ = private_dir_ + "/bitwrightd.log";

  ProcessOptions process{.program = daemon};
  process.arguments = {daemon,    "--data-dir",       data_dir_, "--listen",
                       address(), "--metrics-listen", "off",     "--exit-with-parent"};
  const auto add = [&](const std::string& option, int value) {
    if (value > 0) process.arguments.insert(process.arguments.end(), {option, absl::StrCat(value)});
  };
  add("--workers", options.workers);
  add("--worker-threads", options.threads);
  if (!options.device.empty()) {
    process.arguments.insert(process.arguments.end(), {"--worker-device", options.device});
  }
  const OwnedFd log(::open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (log.get() < 0) return FileUnwritableError(log_path_, errno);
  process.output_fd = log.get();
  process.error_fd = log.get();
  process.own_group = true;  // Ctrl-C reaches us alone; we stop the service in order
  const pid_t started = StartProcess(process);
  if (started < 0) {
    return DaemonFailedError(absl::StrCat("could not be started from ", daemon, ": ", std::strerror(errno)), "");
  }
  pid_ = started;
  KillGroupOnSecondInterrupt(pid_);
  return absl::OkStatus();
}

absl::Status LocalServer::AwaitHealth(std::shared_ptr<CancelToken> cancel) {
  ABSL_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> connection,
                        Connect({.address = address(), .cancel = cancel}));
  const MonotonicTime give_up = kSystemClock.Monotonic() + kStartTime;
  while (true) {
    const absl::Status status = connection->WaitUntilServing(kLook);
    if (status.ok()) return status;
    ABSL_RETURN_IF_ERROR(cancel->Check());
    if (Ended()) return DaemonFailedError("ended at its start", LastLogLines());
    if (kSystemClock.Monotonic() > give_up) {
      return DaemonFailedError(absl::StrCat("did not answer within ", absl::ToInt64Seconds(kStartTime), " s"),
                               LastLogLines());
    }
  }
}

bool LocalServer::Ended() {
  if (pid_ == 0) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return false;
  ::kill(-pid_, SIGKILL);  // workers that it may have left
  KillGroupOnSecondInterrupt(0);
  pid_ = 0;
  return true;
}

absl::Status LocalServer::Explain(const absl::Status& status) {
  if (status.ok() || absl::IsCancelled(status) || !Ended()) return status;
  return DaemonFailedError("ended in the middle of the work", LastLogLines());
}

void LocalServer::Stop() {
  if (Ended()) return;
  ::kill(pid_, SIGTERM);
  const MonotonicTime give_up = kSystemClock.Monotonic() + kStopTime;
  while (!Ended() && kSystemClock.Monotonic() < give_up) absl::SleepFor(kStopLook);
  if (Ended()) return;
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  KillGroupOnSecondInterrupt(0);
  pid_ = 0;
}

std::string LocalServer::KeepData(const std::string& place) {
  Stop();
  std::error_code error;
  if (!owns_data_) return fs::absolute(data_dir_, error).string();
  if (!place.empty()) {
    fs::create_directories(fs::path(place).parent_path(), error);
    fs::rename(data_dir_, place, error);
    if (!error) return data_dir_ = place;
  }
  keeps_data_ = true;
  return data_dir_;
}

LocalServer::~LocalServer() {
  Stop();
  std::error_code ignored;
  if (private_dir_.empty()) return;
  if (!keeps_data_) {
    fs::remove_all(private_dir_, ignored);
    return;
  }
  fs::remove(log_path_, ignored);
  fs::remove(private_dir_ + "/socket", ignored);
}

std::string LocalServer::LastLogLines() const {
  constexpr int kLines = 12;
  auto log = ReadWholeFile(log_path_, FileUnreadableError);
  if (!log.ok()) return "";
  size_t begin = log->size();
  for (int line = 0; line <= kLines && begin != std::string::npos && begin > 0; ++line)
    begin = log->rfind('\n', begin - 1);
  std::string lines = begin == std::string::npos ? *log : log->substr(begin == 0 ? 0 : begin + 1);
  lines.erase(lines.find_last_not_of(" \n") + 1);
  return lines;
}

}  // namespace bitwright::client
