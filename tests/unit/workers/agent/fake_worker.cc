#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bitwright/v1/tasks.pb.h"
#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "workers/agent/worker_main.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

extern "C" char** environ;

std::string g_compute_class;

absl::Status SetClass(const std::string& name) {
  if (!name.starts_with("cpu-")) {
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

std::string SumOfThreads(ThreadPool& pool) {
  std::atomic<int64_t> sum{0};
  pool.ParallelFor(100, [&](int64_t piece, int) { sum += piece; });
  return std::to_string(sum);
}

absl::StatusOr<std::string> Answer(const std::string& command, TaskContext& context) {
  if (command == "copy") return ReadFile(context.input_path("model/a"));
  if (command == "pid") return std::to_string(::getpid());
  if (command == "environment") return Environment() + "open " + OpenFiles() + "\nclass " + g_compute_class + "\n";
  if (command == "denied") return Denied();
  if (command == "threads") return SumOfThreads(*context.pool);
  if (command == "print") return std::to_string(::printf("not a frame\n") + ::fflush(stdout));
  if (command == "crash") std::abort();
  if (command == "exit") ::_exit(3);
  if (command == "throw") throw std::runtime_error("thrown");
  if (command == "hang") {
    context.progress(0.5);
    while (true) ::pause();
  }
  if (command == "memory") {
    std::vector<std::unique_ptr<char[]>> all;
    while (true) all.push_back(std::make_unique<char[]>(64 << 20));
  }
  if (command == "lost file") return ReadFile("/nowhere");
  return MakeError(absl::StatusCode::kInvalidArgument, "TENSOR_TRUNCATED", "the model is bad: " + command);
}

absl::StatusOr<std::vector<TaskOutputFile>> RunFake(const v1::TaskSpec& spec, TaskContext& context) {
  ABSL_ASSIGN_OR_RETURN(const std::string text, Answer(spec.report().model_display_name(), context));
  context.progress(1);
  ABSL_RETURN_IF_ERROR(WriteFile(context.output_dir + "/info.bin", text));
  return std::vector<TaskOutputFile>{{"info", "info.bin"}};
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) {
  return bitwright::worker::WorkerMain(
      argc, argv, {bitwright::worker::RunFake, [] { return "cpu-wide"; }, bitwright::worker::SetClass});
}
