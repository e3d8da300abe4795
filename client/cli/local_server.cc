#include "client/cli/local_server.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/api/client_errors.h"
#include "client/api/connection.h"
#include "client/api/local_file.h"
#include "client/cli/cli_errors.h"
#include "client/cli/interrupt.h"
#include "proto/base/status_macros.h"

extern char** environ;

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStartTime{60};
constexpr std::chrono::seconds kStopTime{15};
constexpr std::chrono::milliseconds kLook{100};

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
  return FileUnwritable(tried, error);
}

}  // namespace

absl::StatusOr<std::string> FindDaemon(const Environment& environment) {
  if (!environment.daemon.empty()) {
    if (IsExecutable(environment.daemon)) return environment.daemon;
    return DaemonNotFound("BITWRIGHTD is '" + environment.daemon + "', not an executable file");
  }
  if (const std::string beside = environment.own_dir + "/bitwrightd"; IsExecutable(beside)) return beside;
  std::string_view path = environment.path;
  while (!path.empty()) {
    const size_t end = std::min(path.find(':'), path.size());
    const std::string candidate = std::string(path.substr(0, end)) + "/bitwrightd";
    if (end > 0 && IsExecutable(candidate)) return candidate;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return DaemonNotFound("neither beside this program nor in PATH");
}

absl::StatusOr<std::unique_ptr<LocalServer>> LocalServer::Start(const LocalOptions& options,
                                                                const Environment& environment,
                                                                std::shared_ptr<CancelToken> cancel) {
  ABSL_ASSIGN_OR_RETURN(const std::string daemon, FindDaemon(environment));
  std::unique_ptr<LocalServer> server(new LocalServer);
  ABSL_ASSIGN_OR_RETURN(server->private_dir_, MakePrivateDir(environment));
  ABSL_RETURN_IF_ERROR(server->Spawn(daemon, options));
  ABSL_RETURN_IF_ERROR(server->AwaitHealth(std::move(cancel)));
  return server;
}

absl::Status LocalServer::Spawn(const std::string& daemon, const LocalOptions& options) {
  const std::string data_dir = options.keep_data_dir.empty() ? private_dir_ + "/data" : options.keep_data_dir;
  std::error_code error;
  const bool made = fs::create_directories(data_dir, error);
  if (error) return FileUnwritable(data_dir, error.value());
  if (made) ::chmod(data_dir.c_str(), 0700);
  log_path_ = private_dir_ + "/bitwrightd.log";

  std::vector<std::string> arguments = {daemon,    "--data-dir",       data_dir, "--listen",
                                        address(), "--metrics-listen", "off",    "--exit-with-parent"};
  if (options.workers > 0) arguments.insert(arguments.end(), {"--workers", absl::StrCat(options.workers)});
  if (options.threads > 0) arguments.insert(arguments.end(), {"--worker-threads", absl::StrCat(options.threads)});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);  // Ctrl-C reaches us alone; we stop the service in order
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  const int failed = ::posix_spawn(&pid_, daemon.c_str(), &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) {
    pid_ = 0;
    return DaemonFailed(absl::StrCat("could not be started from ", daemon, ": ", std::strerror(failed)), "");
  }
  KillGroupOnSecondInterrupt(pid_);
  return absl::OkStatus();
}

absl::Status LocalServer::AwaitHealth(std::shared_ptr<CancelToken> cancel) {
  const std::unique_ptr<Connection> connection = Connect({.address = address(), .cancel = cancel});
  const auto give_up = std::chrono::steady_clock::now() + kStartTime;
  while (true) {
    const absl::Status status = connection->WaitUntilServing(kLook);
    if (status.ok()) return status;
    ABSL_RETURN_IF_ERROR(cancel->Check());
    if (Ended()) return DaemonFailed("ended at its start", LastLogLines());
    if (std::chrono::steady_clock::now() > give_up) {
      return DaemonFailed(absl::StrCat("did not answer within ", kStartTime.count(), " s"), LastLogLines());
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
  return DaemonFailed("ended in the middle of the work", LastLogLines());
}

void LocalServer::Stop() {
  if (Ended()) return;
  ::kill(pid_, SIGTERM);
  const auto give_up = std::chrono::steady_clock::now() + kStopTime;
  while (!Ended() && std::chrono::steady_clock::now() < give_up) ::poll(nullptr, 0, 5);
  if (Ended()) return;
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  KillGroupOnSecondInterrupt(0);
  pid_ = 0;
}

LocalServer::~LocalServer() {
  Stop();
  std::error_code ignored;
  if (!private_dir_.empty()) fs::remove_all(private_dir_, ignored);
}

std::string LocalServer::LastLogLines() const {
  constexpr int kLines = 12;
  auto log = ReadWholeFile(log_path_);
  if (!log.ok()) return "";
  size_t begin = log->size();
  for (int line = 0; line <= kLines && begin != std::string::npos && begin > 0; ++line)
    begin = log->rfind('\n', begin - 1);
  std::string lines = begin == std::string::npos ? *log : log->substr(begin == 0 ? 0 : begin + 1);
  lines.erase(lines.find_last_not_of(" \n") + 1);
  return lines;
}

}  // namespace bitwright::client
