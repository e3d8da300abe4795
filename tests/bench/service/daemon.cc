#include "tests/bench/service/daemon.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>

#include <filesystem>
#include <fstream>

#include "proto/base/cancel_token.h"
#include "proto/base/log.h"
#include "proto/base/owned_fd.h"
#include "proto/base/process.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(2);
constexpr absl::Duration kPatience = absl::Minutes(10);

std::string NewFolder(const std::string& parent) {
  std::string name = parent + "/service-bench-XXXXXX";
  CHECK(::mkdtemp(name.data()) != nullptr) << "no folder can be made below " << parent;
  return name;
}

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return file.eof() ? "" : line;  // not yet written whole
}

}  // namespace

Daemon::Daemon(std::string program, const std::string& parent_folder, std::vector<std::string> more)
    : program_(std::move(program)), folder_(NewFolder(parent_folder)), more_(std::move(more)) {
  Start();
  const SystemClock clock;
  const CancelToken never;
  const MonotonicTime deadline = clock.Monotonic() + kPatience;
  while ((address_ = FirstLine(folder_ + "/port")).empty()) {
    CHECK(!ProcessIsGone(process_)) << "bitwrightd ended at its start, see " << folder_ << "/log";
    CHECK(clock.Monotonic() < deadline) << "bitwrightd does not answer";
    (void)clock.Sleep(kLook, never);
  }
}

std::string Daemon::web_address() const {
  constexpr std::string_view kAt = "the web page is at ";
  std::ifstream log(folder_ + "/log");
  for (std::string line; std::getline(log, line);) {
    if (const size_t at = line.find(kAt); at != std::string::npos) return line.substr(at + kAt.size());
  }
  LOG(FATAL) << "bitwrightd serves no web page, see " << folder_ << "/log";
  return "";
}

Daemon::~Daemon() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Daemon::Kill() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

void Daemon::Start() {
  const OwnedFd log(::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  ProcessOptions options{
      .program = program_,
      .arguments = {program_, "--data-dir", folder_ + "/data", "--listen", address_.empty() ? "127.0.0.1:0" : address_,
                    "--port-file", folder_ + "/port", "--metrics-listen", "off", "--workers", "0"},
      .output_fd = log.get(),
      .error_fd = log.get(),
      .ends_with_thread = true};
  options.arguments.insert(options.arguments.end(), more_.begin(), more_.end());
  process_ = StartProcess(options);
  CHECK(process_ > 0) << program_ << " cannot be started";
}

std::shared_ptr<grpc::Channel> OwnChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 4 << 20);
  arguments.SetInt(GRPC_ARG_HTTP2_WRITE_BUFFER_SIZE, 4 << 20);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace bitwright::server
