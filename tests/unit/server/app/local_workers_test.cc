#include "server/app/local_workers.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

// Collects the ids that on_exit is called with.
class Exits {
 public:
  std::function<void(int)> Callback() {
    return [this](int id) {
      absl::MutexLock lock(&mutex_);
      ids_.push_back(id);
    };
  }
  bool WaitFor(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ids_.size() >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30));
  }
  std::vector<int> ids() {
    absl::MutexLock lock(&mutex_);
    return ids_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<int> ids_ ABSL_GUARDED_BY(mutex_);
};

std::vector<int> WaitForProcesses(const LocalWorkers& workers, size_t count) {
  std::vector<int> ids = workers.process_ids();
  while (ids.size() != count) ids = workers.process_ids();  // the test's timeout bounds this
  return ids;
}

TEST(LocalWorkers, AKilledWorkerIsReportedAndStartedAgain) {
  Exits exits;
  auto workers = *LocalWorkers::Start({"/bin/sleep", {{"1000"}, {"1000"}}, exits.Callback()});
  const std::vector<int> before = WaitForProcesses(*workers, 2);
  ::kill(before[0], SIGKILL);
  ASSERT_TRUE(exits.WaitFor(1));
  EXPECT_EQ(exits.ids(), std::vector<int>{before[0]});
  const std::vector<int> after = WaitForProcesses(*workers, 2);
  EXPECT_EQ(std::count(after.begin(), after.end(), before[0]), 0);
  EXPECT_EQ(std::count(after.begin(), after.end(), before[1]), 1);
  workers->Stop(absl::Seconds(10));
  EXPECT_TRUE(workers->process_ids().empty());
  EXPECT_NE(::kill(before[1], 0), 0);
}

TEST(LocalWorkers, OnesThatEndAtOnceAreStartedAgain) {
  Exits exits;
  auto workers = *LocalWorkers::Start({"/bin/false", {{}}, exits.Callback()});
  EXPECT_TRUE(exits.WaitFor(3));
}

TEST(LocalWorkers, OnesThatAreToStayAwayAreStartedWhenTheyMayAgain) {
  Exits exits;
  std::atomic<bool> away = true;
  std::atomic<int> asked = 0;
  auto workers = *LocalWorkers::Start(
      {.binary = "/bin/false", .arguments = {{}}, .on_exit = exits.Callback(), .stays_away = [&](int) {
         ++asked;
         return away.load();
       }});
  ASSERT_TRUE(exits.WaitFor(1));
  while (asked < 3) std::this_thread::yield();  // the test's timeout bounds this
  EXPECT_EQ(exits.ids().size(), 1u);
  away = false;
  EXPECT_TRUE(exits.WaitFor(2));
}

TEST(LocalWorkers, OnesThatIgnoreTheSignalAreKilled) {
  Exits exits;
  auto workers = *LocalWorkers::Start({"/bin/sh", {{"-c", "trap '' TERM; exec sleep 1000"}}, exits.Callback()});
  WaitForProcesses(*workers, 1);
  workers->Stop(absl::ZeroDuration());
  EXPECT_TRUE(workers->process_ids().empty());
}

TEST(LocalWorkers, AllTogetherMayTakeTheMachinesMemory) {
  for (const int64_t machine : {int64_t{1} << 30, int64_t{24'000'000'001}, int64_t{1} << 42}) {
    for (const int workers : {1, 2, 3, 6, 256}) {
      const int64_t each = MemoryOfEach(machine, workers);
      EXPECT_LE(each * workers, machine);
      EXPECT_GT((each + 1) * workers, machine) << "nothing is left over";
    }
  }
}

TEST(LocalWorkers, AMissingProgramIsAnError) {
  EXPECT_THAT(LocalWorkers::Start({"/no/such/worker", {{}}, [](int) {}}), HasReason("WORKER_BINARY_MISSING"));
  BITWRIGHT_EXPECT_OK(LocalWorkers::Start({"/no/such/worker", {}, [](int) {}})) << "none is wanted";
}

}  // namespace
}  // namespace bitwright::server
