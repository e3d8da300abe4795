#include "proto/base/failpoint.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "proto/base/clock.h"
#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

class FailpointTest : public ::testing::Test {
 protected:
  ~FailpointTest() override { BITWRIGHT_EXPECT_OK(Failpoints::Arm("")); }

  // Which of so many times the point blob.write fails.
  static std::vector<int> Failures(int times) {
    std::vector<int> failures;
    for (int time = 1; time <= times; ++time) {
      if (Failpoint("blob.write") != 0) failures.push_back(time);
    }
    return failures;
  }
};

using FailpointDeathTest = FailpointTest;

TEST_F(FailpointTest, NothingIsArmedByItself) {
  EXPECT_FALSE(Failpoints::armed());
  EXPECT_EQ(Failpoint("blob.write"), 0);
}

TEST_F(FailpointTest, AnErrorIsReturnedEveryTime) {
  BITWRIGHT_ASSERT_OK(Failpoints::Arm("blob.write=error=ENOSPC;blob.fsync=error=EIO"));
  EXPECT_EQ(Failpoint("blob.write"), ENOSPC);
  EXPECT_EQ(Failpoint("blob.write"), ENOSPC);
  EXPECT_EQ(Failpoint("blob.fsync"), EIO);
  EXPECT_EQ(Failpoint("blob.read"), 0) << "not named";
}

TEST_F(FailpointTest, ACountIsOneTime) {
  BITWRIGHT_ASSERT_OK(Failpoints::Arm("blob.write=error=EIO@3"));
  EXPECT_EQ(Failures(10), std::vector<int>{3});
}

TEST_F(FailpointTest, ASeedRepeats) {
  BITWRIGHT_ASSERT_OK(Failpoints::Arm("blob.write=error=EIO@0.25,7"));
  const std::vector<int> first = Failures(400);
  EXPECT_GT(first.size(), 60u);
  EXPECT_LT(first.size(), 140u);
  BITWRIGHT_ASSERT_OK(Failpoints::Arm("blob.write=error=EIO@0.25,7"));
  EXPECT_EQ(Failures(400), first);
  BITWRIGHT_ASSERT_OK(Failpoints::Arm("blob.write=error=EIO@0.25,8"));
  EXPECT_NE(Failures(400), first) << "another seed";
  BITWRIGHT_ASSERT_OK(Failpoints::Arm("blob.write=error=EIO@0.25,7", 1));
  EXPECT_NE(Failures(400), first) << "the next process";
}

TEST_F(FailpointTest, ADelayLasts) {
  BITWRIGHT_ASSERT_OK(Failpoints::Arm("heartbeat.received=delay=20"));
  const SystemClock clock;
  const MonotonicTime start = clock.Monotonic();
  EXPECT_EQ(Failpoint("heartbeat.received"), 0);
  EXPECT_GE(clock.Monotonic() - start, absl::Milliseconds(20));
}

TEST_F(FailpointDeathTest, ACrashIsThatOfKill9) {
  BITWRIGHT_ASSERT_OK(Failpoints::Arm("store.after_commit=crash@2"));
  EXPECT_EXIT(
      {
        Failpoint("store.after_commit");
        Failpoint("store.after_commit");
        ::_exit(0);
      },
      ::testing::KilledBySignal(SIGKILL), "failpoint store.after_commit, time 2");
}

TEST_F(FailpointTest, AStopLastsUntilSomeoneContinuesIt) {
  BITWRIGHT_ASSERT_OK(Failpoints::Arm("child.task=stop"));
  const pid_t child = ::fork();
  if (child == 0) {
    Failpoint("child.task");
    ::_exit(3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(WIFSTOPPED(status));
  ::kill(child, SIGCONT);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

TEST_F(FailpointTest, TheScheduleIsKeptForOtherProcesses) {
  BITWRIGHT_ASSERT_OK(Failpoints::Arm("child.task=crash@0.5,1"));
  EXPECT_EQ(Failpoints::Schedule(), "child.task=crash@0.5,1");
}

TEST_F(FailpointTest, AWrongScheduleIsRefusedAndArmsNothing) {
  for (const char* wrong : {"blob.wrote=crash", "blob.write", "blob.write=", "blob.write=explode", "blob.write=error",
                            "blob.write=error=E1", "blob.write=delay=", "blob.write=delay=-1", "blob.write=crash@",
                            "blob.write=crash@0", "blob.write=crash@x", "blob.write=crash@0.5",
                            "blob.write=crash@2.0,1", "blob.write=crash@0.5,x", "blob.fsync=crash;blob.write=no"}) {
    EXPECT_THAT(Failpoints::Arm(wrong), HasReason("FAILPOINTS_INVALID")) << wrong;
    EXPECT_FALSE(Failpoints::armed()) << wrong;
  }
}

}  // namespace
}  // namespace bitwright
