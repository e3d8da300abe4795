#include "proto/base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "proto/base/owned_fd.h"
#include "tests/support/fixtures.h"

namespace bitwright {
namespace {

// What a shell command writes to its standard output.
std::string OutputOf(const std::string& command, ProcessOptions options = {}) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const OwnedFd read_end(ends[0]);
  OwnedFd write_end(ends[1]);
  options.program = "/bin/sh";
  options.arguments = {"sh", "-c", command};
  options.output_fd = write_end.get();
  const pid_t process = StartProcess(options);
  EXPECT_GT(process, 0);
  write_end.Close();
  std::string output;
  char buffer[256];
  for (ssize_t got; (got = ::read(read_end.get(), buffer, sizeof buffer)) > 0;) output.append(buffer, got);
  ::waitpid(process, nullptr, 0);
  return output;
}

TEST(Process, HasNoOpenFilesButTheStandardOnes) {
  const OwnedFd open(::open("/dev/null", O_RDONLY));  // inherited, were it not closed
  const std::string file = "/proc/$$/fd/" + std::to_string(open.get());
  EXPECT_EQ(OutputOf("test -e " + file + " && echo open || echo closed"), "closed\n");
  EXPECT_EQ(OutputOf("readlink /proc/$$/fd/0"), "/dev/null\n");
}

TEST(Process, HasTheEnvironmentThatItIsGiven) {
  EXPECT_EQ(OutputOf("echo $A$HOME", {.environment = std::vector<std::string>{"A=1"}}), "1\n");
  ASSERT_EQ(::setenv("BITWRIGHT_TEST_VARIABLE", "inherited", 1), 0);
  EXPECT_EQ(OutputOf("echo $BITWRIGHT_TEST_VARIABLE"), "inherited\n");
}

TEST(Process, LeadsItsGroupWhenAsked) {
  const std::string group = "sed 's/.*) //' /proc/$$/stat | cut -d' ' -f3";  // pgrp, the third field after the name
  EXPECT_EQ(OutputOf(group + "; echo $$", {.own_group = true}).find(std::to_string(::getpgrp()) + "\n"),
            std::string::npos);
  EXPECT_EQ(OutputOf(group), std::to_string(::getpgrp()) + "\n");
}

TEST(Process, LeavesNoCoreWhenAsked) { EXPECT_EQ(OutputOf("ulimit -c", {.core_dumps = false}), "0\n"); }

TEST(Process, AProgramThatCannotBeRunIsAnError) {
  const TempDir dir;
  errno = 0;
  EXPECT_EQ(StartProcess({.program = dir / "none", .arguments = {"none"}}), -1);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(StartProcess({.program = dir.path(), .arguments = {"folder"}}), -1);
  EXPECT_EQ(errno, EACCES);
}

TEST(Process, EndsWithItsThreadWhenAsked) {
  pid_t process = 0;
  std::thread starter([&] {
    process = StartProcess({.program = "/bin/sleep", .arguments = {"sleep", "1000"}, .ends_with_thread = true});
  });
  starter.join();
  ASSERT_GT(process, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(process, &status, 0), process);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(Process, IsGoneOnceItHasEndedReapedOrNot) {
  const pid_t process = StartProcess({.program = "/bin/sleep", .arguments = {"sleep", "1000"}});
  ASSERT_GT(process, 0);
  EXPECT_FALSE(ProcessIsGone(process));
  ::kill(process, SIGKILL);
  siginfo_t info = {};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(ProcessIsGone(process)) << "a zombie";
  ::waitpid(process, nullptr, 0);
  EXPECT_TRUE(ProcessIsGone(process));
}

}  // namespace
}  // namespace bitwright
