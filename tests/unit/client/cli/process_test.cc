#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

// The program itself, with a service that it starts on its own.
class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() {
    fs::create_directories(dir_ / "model");
    fs::create_directories(dir_ / "tmp");
    for (const char* name : {"model/config.json", "model/model.safetensors", "model/tokenizer.json"}) {
      EXPECT_THAT(WriteWholeFile(dir_ / name, "{}"), IsOk());
    }
    EXPECT_THAT(WriteWholeFile(dir_ / "c.txt", std::string(1000, 'c')), IsOk());
  }
  void Start(const std::string& daemon) {
    std::vector<std::string> arguments = {BITWRIGHT_PROGRAM, "quantize",     dir_ / "model", "--budget",     "4bpw",
                                          "--calibration",   dir_ / "c.txt", "--evaluation", dir_ / "c.txt", "-o",
                                          dir_ / "out",      "--local"};
    std::vector<std::string> environment = {"BITWRIGHTD=" + daemon, "TMPDIR=" + (dir_ / "tmp")};
    std::vector<char*> argv;
    // What a sanitizer is told, it and the processes that it starts are to hear.
    for (const char* name : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
      if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
    }
    std::vector<char*> envp;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    for (std::string& variable : environment) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    int pipe[2];
    ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, (dir_ / "stdout").c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_adddup2(&files, pipe[1], 2);
    ASSERT_EQ(::posix_spawn(&pid_, BITWRIGHT_PROGRAM, &files, nullptr, argv.data(), envp.data()), 0);
    posix_spawn_file_actions_destroy(&files);
    ::close(pipe[1]);
    err_ = pipe[0];
  }
  // Reads standard error until it holds `text` or ends.
  bool AwaitErr(const std::string& text) {
    char block[512];
    while (seen_.find(text) == std::string::npos) {
      const ssize_t got = ::read(err_, block, sizeof block);
      if (got <= 0) return false;
      seen_.append(block, static_cast<size_t>(got));
    }
    return true;
  }
  int ExitCodeOfIt() {
    AwaitErr("\1");  // to its end
    ::close(err_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void ExpectNothingLeft() {
    EXPECT_TRUE(fs::is_empty(dir_ / "tmp"));
    for (const auto& process : fs::directory_iterator("/proc")) {
      const auto command = ReadProc(process.path() / "cmdline");
      EXPECT_EQ(command.find(dir_ / "tmp"), std::string::npos) << process.path() << " still runs";
    }
  }
  static std::string ReadProc(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return "";
    char block[4096];
    const ssize_t got = ::read(fd, block, sizeof block);
    ::close(fd);
    return got > 0 ? std::string(block, static_cast<size_t>(got)) : "";
  }

  TempDir dir_;
  int pid_ = 0;
  int err_ = -1;
  std::string seen_;
};

TEST_F(ProcessTest, LocalJobLeavesNothingBehind) {
  Start(FAKE_BITWRIGHTD);
  EXPECT_EQ(ExitCodeOfIt(), 0) << seen_;
  EXPECT_TRUE(fs::exists(dir_ / "out/model/model.safetensors"));
  ExpectNothingLeft();
}

TEST_F(ProcessTest, InterruptStopsTheServiceAndIs130) {
  for (const int number : {SIGINT, SIGTERM}) {
    seen_.clear();
    const std::string daemon = dir_ / "fake-hangs";
    fs::remove(daemon);
    fs::create_symlink(FAKE_BITWRIGHTD, daemon);
    Start(daemon);
    ASSERT_TRUE(AwaitErr("calibrate: started")) << seen_;
    ::kill(pid_, number);
    EXPECT_EQ(ExitCodeOfIt(), 130) << seen_;
    EXPECT_NE(seen_.find("[INTERRUPTED]"), std::string::npos) << seen_;
    ExpectNothingLeft();
  }
}

TEST_F(ProcessTest, FailingServiceLeavesNothingBehind) {
  const std::string daemon = dir_ / "fake-dies";
  fs::create_symlink(FAKE_BITWRIGHTD, daemon);
  Start(daemon);
  EXPECT_EQ(ExitCodeOfIt(), 1);
  EXPECT_NE(seen_.find("disk on fire"), std::string::npos) << seen_;
  ExpectNothingLeft();
}

}  // namespace
}  // namespace bitwright::client
