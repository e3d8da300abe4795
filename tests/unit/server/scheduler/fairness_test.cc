#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "server/scheduler/ready_queue.h"
#include "server/scheduler/tenant_shares.h"

namespace bitwright::server {
namespace {

constexpr int kSlots = 8;
const AskingWorker kWorker{.compute_class = "cpu-avx2", .code_version = "code1", .memory_bytes = 1000};

MonotonicTime At(double seconds) { return MonotonicTime(absl::Seconds(seconds)); }

// A fleet of equal slots and the tenants that use it, played event by event: what the policy gives each of them.
class Fleet {
 public:
  // So many tasks of the tenant come at `at`, each of which runs for so many seconds.
  void Bring(double at, const std::string& tenant, int tasks, double seconds, int priority = 0) {
    events_.push({at, [=, this] {
                    for (int i = 0; i < tasks; ++i) Submit(tenant, seconds, priority);
                  }});
  }
  // From `at` on the tenant has one task at a time: the next comes `pause` after the end of the last one.
  void Chain(double at, const std::string& tenant, double seconds, double pause) {
    events_.push(
        {at, [=, this] { Submit(tenant, seconds, 0, [=, this] { Chain(now_ + pause, tenant, seconds, pause); }); }});
  }

  void RunUntil(double end) {
    while (!events_.empty() && events_.top().at <= end) {
      now_ = events_.top().at;
      const std::function<void()> happen = events_.top().happen;
      events_.pop();
      happen();
      // What happens at once happens before anything is placed.
      if (events_.empty() || events_.top().at > now_) Place();
    }
    now_ = end;
  }

  // Slot-seconds that the tenant had between two times.
  double Had(const std::string& tenant, double from, double to) const {
    double sum = 0;
    for (const Run& run : runs_) {
      if (run.tenant == tenant) sum += std::max(0.0, std::min(run.end, to) - std::max(run.begin, from));
    }
    return sum;
  }
  // Its part of all that was used then.
  double Part(const std::string& tenant, double from, double to) const {
    double all = 0;
    for (const Run& run : runs_) all += std::max(0.0, std::min(run.end, to) - std::max(run.begin, from));
    return Had(tenant, from, to) / all;
  }
  std::vector<double> Begins(const std::string& tenant) const {
    std::vector<double> begins;
    for (const Run& run : runs_) {
      if (run.tenant == tenant) begins.push_back(run.begin);
    }
    return begins;
  }

 private:
  struct Run {
    std::string tenant;
    double begin = 0;
    double end = 0;
  };
  struct Event {
    double at = 0;
    std::function<void()> happen;
    bool operator<(const Event& other) const { return at > other.at; }
  };
  struct Work {
    double seconds = 0;
    std::function<void()> then;
  };

  void Submit(const std::string& tenant, double seconds, int priority, std::function<void()> then = nullptr) {
    const std::string name = "tasks/" + std::to_string(made_++);
    shares_.Waits(tenant, At(now_));
    queue_.Add({.task = name,
                .owner = "jobs/" + tenant,
                .tenant = tenant,
                .priority = priority,
                .owner_create_time = absl::FromUnixSeconds(static_cast<int64_t>(tenant[0])),
                .needs = {}});
    work_[name] = {seconds, std::move(then)};
  }

  void Place() {
    while (free_ > 0) {
      const Execution* pick = queue_.Pick(kWorker, shares_.TurnsAt(At(now_)));
      if (pick == nullptr) return;
      const Execution task = *queue_.Remove(pick->task);
      shares_.Started(task.tenant, At(now_));
      shares_.WaitsNoLonger(task.tenant);
      --free_;
      const Work work = work_[task.task];
      const double begin = now_;
      runs_.push_back({task.tenant, begin, begin + work.seconds});
      events_.push({begin + work.seconds, [=, this] {
                      shares_.Ended(task.tenant, At(begin), At(now_));
                      ++free_;
                      if (work.then) work.then();
                    }});
    }
  }

  double now_ = 0;
  int free_ = kSlots;
  int made_ = 0;
  std::priority_queue<Event> events_;
  std::map<std::string, Work> work_;
  std::vector<Run> runs_;
  ReadyQueue queue_;
  TenantShares shares_;
};

TEST(Fairness, BackloggedTenantsGetEqualPartsHoweverLongTheirTasksAre) {
  Fleet fleet;
  fleet.Bring(0, "short", 30'000, 0.5);
  fleet.Bring(0, "middle", 3'000, 7);
  fleet.Bring(0, "long", 300, 60);
  fleet.RunUntil(5'000);
  for (double from = 200; from + 600 <= 5'000; from += 300) {
    for (const char* tenant : {"short", "middle", "long"}) {
      EXPECT_NEAR(fleet.Part(tenant, from, from + 600), 1.0 / 3, 0.1 / 3) << tenant << " from " << from;
    }
  }
}

TEST(Fairness, HowManyTasksWaitGivesNobodyMore) {
  Fleet fleet;
  fleet.Bring(0, "many", 10'000, 2);
  for (int second = 0; second < 2'000; ++second) fleet.Bring(second, "few", 3, 2);  // 6 slots' worth, never far ahead
  fleet.RunUntil(2'000);
  for (double from = 100; from + 200 <= 2'000; from += 100) {
    EXPECT_NEAR(fleet.Part("few", from, from + 200), 0.5, 0.05) << from;
  }
}

TEST(Fairness, WhatOneLeavesTheOthersShare) {
  Fleet fleet;
  fleet.Bring(0, "a", 10'000, 3);
  fleet.Bring(0, "b", 10'000, 5);
  fleet.Bring(0, "c", 400, 4);  // 1,600 slot-seconds: done after about 600 s
  fleet.RunUntil(3'000);
  EXPECT_NEAR(fleet.Part("c", 50, 550), 1.0 / 3, 0.1 / 3);
  ASSERT_LT(fleet.Begins("c").back(), 700);
  for (const char* tenant : {"a", "b"}) {
    for (double from = 800; from + 300 <= 3'000; from += 300) {
      EXPECT_NEAR(fleet.Part(tenant, from, from + 300), 0.5, 0.05) << tenant << " from " << from;
    }
  }
  EXPECT_NEAR(fleet.Had("a", 0, 3'000) + fleet.Had("b", 0, 3'000) + fleet.Had("c", 0, 3'000), kSlots * 3'000.0, 1)
      << "no slot is idle while work waits";
}

TEST(Fairness, WhoComesLateIsServedWithinATasksLength) {
  Fleet fleet;
  fleet.Bring(0, "a", 20'000, 2);
  fleet.Bring(0, "b", 1'000, 30);
  fleet.Bring(1'000, "z", 1'000, 10);
  fleet.RunUntil(3'000);
  EXPECT_LE(fleet.Begins("z").front(), 1'000 + 30);
  EXPECT_NEAR(fleet.Part("z", 1'000, 1'400), 1.0 / 3, 0.1 / 3) << "neither punished nor paid for its absence";
  EXPECT_NEAR(fleet.Part("a", 1'400, 2'000), 1.0 / 3, 0.1 / 3);
  EXPECT_NEAR(fleet.Part("b", 1'400, 2'000), 1.0 / 3, 0.1 / 3);
}

TEST(Fairness, TimeWithoutWorkSavesNothingUp) {
  Fleet fleet;
  fleet.Bring(0, "busy", 24'000, 1);
  fleet.Bring(0, "seldom", 8, 1);
  fleet.Bring(2'000, "seldom", 10'000, 1);
  fleet.RunUntil(3'000);
  for (double from = 2'000; from + 50 <= 3'000; from += 50) {
    EXPECT_NEAR(fleet.Part("busy", from, from + 50), 0.5, 0.05) << from;
  }
}

TEST(Fairness, WhoHadAllWhileAloneOwesNothing) {
  Fleet fleet;
  fleet.Bring(0, "first", 4'000, 1);  // alone, for 500 s
  fleet.Bring(600, "second", 8'000, 1);
  fleet.Bring(700, "first", 8'000, 1);
  fleet.RunUntil(1'500);
  EXPECT_NEAR(fleet.Part("first", 700, 1'000), 0.5, 0.1) << "within a bounded time";
  EXPECT_NEAR(fleet.Part("first", 1'000, 1'500), 0.5, 0.05);
}

TEST(Fairness, ManyPlacesThatBecomeFreeAtOnceAreDivided) {
  Fleet fleet;
  fleet.Bring(0, "x", 8, 100);  // takes all
  fleet.Bring(1, "a", 1'000, 40);
  fleet.Bring(1, "b", 20'000, 1);
  fleet.RunUntil(2'000);
  EXPECT_NEAR(fleet.Part("a", 100, 101), 0.5, 0.3) << "in the moment itself";
  EXPECT_NEAR(fleet.Part("a", 300, 2'000), 0.5, 0.05);
  for (double from = 140; from < 1'900; from += 40) EXPECT_GT(fleet.Part("b", from, from + 40), 0.2) << from;
}

TEST(Fairness, OneTaskAtATimeNeverWaitsForLong) {
  Fleet fleet;
  fleet.Bring(0, "a", 20'000, 2);
  fleet.Bring(0, "b", 20'000, 3);
  fleet.Chain(100, "chain", 5, 0.1);
  fleet.RunUntil(2'000);
  const std::vector<double> begins = fleet.Begins("chain");
  ASSERT_GT(begins.size(), 200u);
  for (size_t i = 1; i < begins.size(); ++i) EXPECT_LE(begins[i] - begins[i - 1], 5.1 + 3) << i;
}

TEST(Fairness, NobodyStarves) {
  Fleet fleet;
  for (int i = 0; i < 20; ++i) fleet.Bring(0, std::string(1, static_cast<char>('a' + i)), 2'000, 1.0 + 3.0 * (i % 5));
  fleet.RunUntil(3'000);
  for (int i = 0; i < 20; ++i) {
    const std::string tenant(1, static_cast<char>('a' + i));
    for (double from = 0; from + 150 <= 3'000; from += 150) EXPECT_GT(fleet.Had(tenant, from, from + 150), 0) << tenant;
    EXPECT_NEAR(fleet.Part(tenant, 300, 3'000), 1.0 / 20, 0.1 / 20) << tenant;
  }
}

TEST(Fairness, PriorityStillGoesFirst) {
  Fleet fleet;
  fleet.Bring(0, "a", 20'000, 1);
  fleet.Bring(0, "b", 1'000, 10);
  fleet.Bring(100, "b", 100, 10, 5);
  fleet.RunUntil(500);
  // 1,000 slot-seconds of the urgent ones: while they wait, nobody else begins.
  const std::vector<double> others = fleet.Begins("a");
  EXPECT_EQ(std::count_if(others.begin(), others.end(), [](double at) { return at > 101 && at < 220; }), 0);
  EXPECT_GT(std::count_if(others.begin(), others.end(), [](double at) { return at > 240; }), 0);
}

// One whose work finds no place for long is served as soon as there is one, but does not take all of them for as long.
TEST(TenantShares, WhoCouldNotRunFallsBehindByABoundedTime) {
  TenantShares shares;
  shares.Waits("stuck", At(0));
  shares.Waits("busy", At(0));
  for (int i = 0; i < 1'000; ++i) {
    shares.Waits("busy", At(i));
    shares.Started("busy", At(i));
    shares.WaitsNoLonger("busy");
    shares.Ended("busy", At(i), At(i + 1));
  }
  const TenantTurns turns = shares.TurnsAt(At(1'000));
  EXPECT_LT(turns.at("stuck"), turns.at("busy"));
  EXPECT_NEAR(turns.at("busy") - turns.at("stuck"), 60, 1);
}

TEST(TenantShares, WhatDidNotRunAfterAllIsNoMeanOfTasks) {
  TenantShares shares;
  shares.Waits("a", At(0));
  shares.Started("a", At(0));
  shares.Ended("a", At(0), At(10));
  shares.Started("a", At(10));
  EXPECT_NEAR(shares.TurnsAt(At(10)).at("a"), 20, 1e-9) << "10 s that ran, 10 s more that are to be expected";
  shares.Ended("a", std::nullopt, At(10));
  shares.Started("a", At(10));
  EXPECT_NEAR(shares.TurnsAt(At(10)).at("a"), 20, 1e-9);
}

}  // namespace
}  // namespace bitwright::server
