#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bitwright/v1/tasks.pb.h"
#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "workers/agent/worker_main.h"
#include "workers/base/files.h"
#include "workers/kernels/device.h"

namespace bitwright::worker {
namespace {

extern "C" char** environ;

std::string g_compute_class;

absl::Status SetClass(const std::string& name) {
  if (!name.starts_with("cpu-") && name != "cuda-fake") {
    return MakeError(absl::StatusCode::kInvalidArgument, "COMPUTE_CLASS_UNAVAILABLE", "no such class");
  }
  g_compute_class = name;
  return absl::OkStatus();
}

std::string Environment() {
  std::string all;
  for (char** one = ::environ; one != nullptr && *one != nullptr; ++one) all += std::string(*one) + "\n";
  return all;
}

std::string OpenFiles() {
  std::string open;
  for (int fd = 0; fd < 64; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) open += std::to_string(fd) + " ";
  }
  return open;
}

std::string Denied() {
  std::string result;
  if (::socket(AF_INET, SOCK_STREAM, 0) < 0) result += "socket " + std::to_string(errno) + "\n";
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  if (child < 0) result += "fork " + std::to_string(errno) + "\n";
  char* none[] = {nullptr};
  ::execve("/bin/true", none, none);
  result += "execve " + std::to_string(errno) + "\n";
  return result;
}

// As many cards as CUDA_VISIBLE_DEVICES lists, none without it.
std::vector<CudaCard> FakeCards() {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  std::vector<CudaCard> cards;
  for (const char* at = visible; at != nullptr && *at != 0; ++at) {
    if (at != visible && *at != ',') continue;
    const int ordinal = static_cast<int>(cards.size());
    const std::string id = "fake-" + std::to_string(::getppid()) + "-" + std::to_string(ordinal);
    cards.push_back({ordinal, "Fake Card", "cuda-fake", int64_t{24} << 30, id});
  }
  return cards;
}

// Who makes one learns what the process sees.
absl::StatusOr<std::unique_ptr<Device>> FakeDevice(int ordinal, ThreadPool&) {
  throw DeviceError("a product failed on card " + std::string(std::getenv("CUDA_VISIBLE_DEVICES")) + ", number " +
                    std::to_string(ordinal) + " there");
}

// What the system says to an attempt: "0", or the errno.
std::string Result(long returned) { return std::to_string(returned < 0 ? errno : 0); }

std::string Open(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  const std::string result = Result(fd);
  if (fd >= 0) ::close(fd);
  return result;
}

// One attempt at a file by name: "read /path".
std::optional<std::string> Touch(const std::string& command) {
  const size_t space = command.find(' ');
  if (space == std::string::npos) return std::nullopt;
  const std::string what = command.substr(0, space), path = command.substr(space + 1);
  if (what == "local") {
    const int type = path == "seqpacket" ? SOCK_SEQPACKET : SOCK_STREAM;
    return Result(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  }
  if (what == "socket") return Result(::socket(AF_INET, SOCK_STREAM, 0));
  if (what == "read") return Open(path, O_RDONLY);
  if (what == "list") return Open(path, O_RDONLY | O_DIRECTORY);
  if (what == "write") return Open(path, O_WRONLY);
  if (what == "make") return Open(path, O_WRONLY | O_CREAT | O_EXCL);
  if (what == "empty") return Open(path, O_RDONLY | O_TRUNC);
  if (what == "truncate") return Result(::truncate(path.c_str(), 0));
  if (what == "remove") return Result(::unlink(path.c_str()));
  if (what == "rename") return Result(::rename(path.c_str(), (path + ".new").c_str()));
  if (what == "chmod") return Result(::chmod(path.c_str(), 0));
  if (what == "signal") return Result(::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0));
  if (what == "symlink") return Result(::symlink("/etc/passwd", path.c_str()));
  return std::nullopt;
}

std::string SumOfThreads(ThreadPool& pool) {
  std::atomic<int64_t> sum{0};
  pool.ParallelFor(100, [&](int64_t piece, int) { sum += piece; });
  return std::to_string(sum);
}

absl::StatusOr<std::string> Answer(const std::string& command, TaskContext& context) {
  if (command == "copy") return ReadFile(context.input_path("model/a"));
  if (command == "long") return std::string("a result with a long name");
  if (command == "pid") return std::to_string(::getpid());
  if (command == "environment") return Environment() + "open " + OpenFiles() + "\nclass " + g_compute_class + "\n";
  if (command == "denied") return Denied();
  if (command == "threads") return SumOfThreads(*context.pool);
  if (command == "print") return std::to_string(::printf("not a frame\n") + ::fflush(stdout));
  if (command == "crash") std::abort();
  if (command == "exit") ::_exit(3);
  if (command == "killed") ::raise(SIGKILL);
  if (command == "throw") throw std::runtime_error("thrown");
  if (command == "hang") {
    context.progress(0.5);
    while (true) ::pause();
  }
  if (command == "memory") {
    std::vector<std::unique_ptr<char[]>> all;
    while (true) all.push_back(std::make_unique<char[]>(64 << 20));
  }
  if (command == "device") {
    if (context.make_device == nullptr) return std::string("none");
    return std::string(context.make_device(*context.pool).status().message());
  }
  if (command == "lost file") return ReadFile("/nowhere");
  if (const auto result = Touch(command)) return *result;
  return MakeError(absl::StatusCode::kInvalidArgument, "TENSOR_TRUNCATED", "the model is bad: " + command);
}

absl::StatusOr<std::vector<TaskOutputFile>> RunFake(const v1::TaskSpec& spec, TaskContext& context) {
  ABSL_ASSIGN_OR_RETURN(const std::string text, Answer(spec.report().model_display_name(), context));
  context.progress(1);
  ABSL_RETURN_IF_ERROR(WriteFile(context.output_dir + "/info.bin", text));
  const bool long_names = spec.report().model_display_name() == "long";
  return std::vector<TaskOutputFile>{{long_names ? std::string(5 << 20, 'x') : "info", "info.bin"}};
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) {
  using namespace bitwright::worker;
  return WorkerMain(argc, argv,
                    {.run_task = RunFake,
                     .detect_compute_class = [] { return "cpu-wide"; },
                     .set_compute_class = SetClass,
                     .cards = {FakeCards, [] { return absl::OkStatus(); }, FakeDevice}});
}
