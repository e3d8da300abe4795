#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/contract/code_version.h"
#include "proto/contract/rpc_status.h"
#include "proto/contract/worker_capacity.h"
#include "server/scheduler/demand.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

// Fleets of which some workers compute on graphics processors.
namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

constexpr char kClass[] = "cuda-sm90-132";
constexpr char kCode[] = "code1+cublas1";

class DeviceTest : public ::testing::Test {
 protected:
  DeviceTest() {
    rig_.options.patience = absl::Seconds(30);
    rig_.Restart();
  }
  std::string AddCard(int64_t device_bytes = int64_t{80} << 30) {
    return rig_.AddWorker([=](v1::WorkerCapacity& capacity) {
      capacity.set_device("cuda");
      capacity.set_compute_class(kClass);
      capacity.set_code_version(kCode);
      capacity.set_device_memory_bytes(device_bytes);
    });
  }
  std::string Create(const std::string& device) {
    v1::JobSpec spec = rig_.Spec(rig_.ReadyModel().name());
    spec.set_device(device);
    return rig_.CreateJob(spec).name();
  }
  // Time passes in ticks, as it does in the server, and workers go on asking.
  void Pass(double seconds, const std::vector<std::string>& workers) {
    for (double passed = 0; passed < seconds; passed += 5) {
      rig_.Pass(5);
      for (const std::string& worker : workers) EXPECT_FALSE((*rig_.TryLease(worker)).has_value());
    }
  }
  v1::Job Now(const std::string& job) { return *rig_.jobs->Get(kCaller, job); }
  // Runs the job with these workers in turn, to its end.
  void RunBoth(const std::string& a, const std::string& b) {
    int idle = 0;
    for (int turn = 0; idle < 2 && turn < 1000; ++turn) {
      const std::string& worker = turn % 2 == 0 ? a : b;
      const auto lease = rig_.TryLease(worker);
      ASSERT_THAT(lease, IsOk());
      idle = lease->has_value() ? 0 : idle + 1;
      if (!lease->has_value()) continue;
      const v1::TaskSpec& spec = (*lease)->spec();
      (spec.compute_class().empty() ? others_ : numeric_).insert(worker);
      classes_.insert(spec.compute_class());
      codes_.insert(spec.code_version());
      const std::string code = spec.compute_class().empty() ? "code1" : codes_of_numeric_;
      EXPECT_EQ(spec.code_version(), code) << spec.kind();
      BITWRIGHT_ASSERT_OK(rig_.Complete(worker, **lease));
    }
  }

  Rig rig_;
  std::string codes_of_numeric_ = kCode;
  std::set<std::string> numeric_, others_, classes_, codes_;  // workers that ran such tasks; what these said
};

TEST_F(DeviceTest, NumericTasksGoToCardsAndTheOthersToAnyWorker) {
  const std::string job = Create("any");
  const std::string card = AddCard(), processor = rig_.AddWorker();
  RunBoth(processor, card);
  EXPECT_EQ(Now(job).state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(Now(job).compute_class(), kClass);
  EXPECT_EQ(numeric_, std::set<std::string>{card});
  EXPECT_EQ(others_, (std::set<std::string>{card, processor}));
  EXPECT_EQ(classes_, (std::set<std::string>{"", kClass}));
  EXPECT_EQ(codes_, (std::set<std::string>{"code1", kCode}));
}

TEST_F(DeviceTest, AJobThatAsksForTheProcessorStaysOnProcessors) {
  codes_of_numeric_ = "code1";
  const std::string job = Create("cpu");
  const std::string card = AddCard(), processor = rig_.AddWorker();
  RunBoth(processor, card);
  EXPECT_EQ(Now(job).state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(Now(job).compute_class(), "cpu-avx2");
  EXPECT_EQ(numeric_, std::set<std::string>{processor});
}

// Also by a job that nothing binds to cards yet.
TEST_F(DeviceTest, ABusyCardIsWaitedForRatherThanAFreeProcessorTaken) {
  Create("any");
  const std::string card = AddCard(), processor = rig_.AddWorker();
  v1::Lease held = rig_.Lease(card);
  while (held.spec().compute_class().empty()) {
    BITWRIGHT_ASSERT_OK(rig_.Complete(card, held));
    held = rig_.Lease(card);
  }
  v1::JobSpec other = rig_.Spec(rig_.ReadyModel("b").name());
  *other.mutable_calibration(0)->mutable_blob() = ToProto(rig_.Put("another text"));
  const std::string second = rig_.CreateJob(other).name();
  int ran = 0;
  for (auto lease = rig_.TryLease(processor); (*lease).has_value(); lease = rig_.TryLease(processor)) {
    EXPECT_EQ((*lease)->spec().compute_class(), "") << (*lease)->spec().kind();
    BITWRIGHT_ASSERT_OK(rig_.Complete(processor, **lease));
    ++ran;
  }
  EXPECT_GT(ran, 0);
  rig_.Pass(2);
  EXPECT_EQ(Now(second).waiting().reason(), "WORKERS_BUSY");
}

TEST_F(DeviceTest, AJobThatAsksForACardWaitsForOneHoweverLong) {
  const std::string job = Create("cuda");
  const std::string processor = rig_.AddWorker();
  while (true) {  // what is not numeric
    const auto lease = rig_.TryLease(processor);
    if (!lease->has_value()) break;
    EXPECT_EQ((*lease)->spec().compute_class(), "");
    BITWRIGHT_ASSERT_OK(rig_.Complete(processor, **lease));
  }
  Pass(3 * absl::ToDoubleSeconds(rig_.options.patience), {processor});
  EXPECT_NE(Now(job).state(), v1::Job::FAILED);
  EXPECT_EQ(Now(job).waiting().reason(), "WORKER_MISSING");
  EXPECT_THAT(Now(job).waiting().message(), HasSubstr("device cuda"));
  const std::string card = AddCard();
  RunBoth(processor, card);
  EXPECT_EQ(Now(job).state(), v1::Job::SUCCEEDED);
}

TEST_F(DeviceTest, DemandIsForThePoolOfTheDevice) {
  const WorkerPool cpu{.device = "cpu"}, cuda{.device = "cuda"};
  const WorkerPool second{.device = "cuda", .compute_class = "cuda-sm80-108", .counts_unpinned = false};
  Create("cuda");
  EXPECT_GT(*rig_.scheduler->PlacesWanted(cuda), 0);
  EXPECT_EQ(*rig_.scheduler->PlacesWanted(cpu), 0);
  EXPECT_EQ(*rig_.scheduler->PlacesWanted(second), 0);
}

TEST_F(DeviceTest, TheLiveSetMustFitTheCard) {
  const std::string job = Create("cuda");
  const std::string small = AddCard(kDeviceReserveBytes + (int64_t{1} << 20));
  for (auto lease = rig_.TryLease(small); (*lease).has_value(); lease = rig_.TryLease(small)) {
    EXPECT_EQ((*lease)->spec().compute_class(), "");
    BITWRIGHT_ASSERT_OK(rig_.Complete(small, **lease));
  }
  Pass(absl::ToDoubleSeconds(rig_.options.patience) + 10, {small});
  EXPECT_EQ(Now(job).state(), v1::Job::FAILED);
  EXPECT_EQ(ErrorReason(FromProto(Now(job).error())), "TASK_TOO_LARGE");
  EXPECT_THAT(Now(job).error().message(), HasSubstr("device memory"));
}

TEST_F(DeviceTest, AFailedTaskGoesToAnotherCard) {
  Create("any");
  const std::string first = AddCard(), second = AddCard();
  v1::Lease lease = rig_.Lease(first);
  while (lease.spec().compute_class().empty()) {
    BITWRIGHT_ASSERT_OK(rig_.Complete(first, lease));
    lease = rig_.Lease(first);
  }
  const absl::Status failed = MakeError(absl::StatusCode::kUnavailable, "DEVICE_FAILED", "the device failed");
  BITWRIGHT_ASSERT_OK(rig_.FailLease(first, lease, failed, true));
  rig_.Pass(2);
  std::string where;
  for (int i = 0; i < 100 && where.empty(); ++i) {
    for (const std::string& worker : {first, second}) {
      const auto next = rig_.TryLease(worker);
      if (!next->has_value()) continue;
      if ((*next)->task() == lease.task()) where = worker;
      BITWRIGHT_ASSERT_OK(rig_.Complete(worker, **next));
    }
  }
  EXPECT_EQ(where, second);
}

TEST_F(DeviceTest, WithoutAnotherCardTheSameOneTriesAgain) {
  Create("any");
  const std::string card = AddCard();
  rig_.AddWorker();
  v1::Lease lease = rig_.Lease(card);
  while (lease.spec().compute_class().empty()) {
    BITWRIGHT_ASSERT_OK(rig_.Complete(card, lease));
    lease = rig_.Lease(card);
  }
  const absl::Status failed = MakeError(absl::StatusCode::kUnavailable, "DEVICE_FAILED", "the device failed");
  BITWRIGHT_ASSERT_OK(rig_.FailLease(card, lease, failed, true));
  rig_.Pass(2);
  bool again = false;
  for (auto next = rig_.TryLease(card); (*next).has_value(); next = rig_.TryLease(card)) {
    again = again || (*next)->task() == lease.task();
    BITWRIGHT_ASSERT_OK(rig_.Complete(card, **next));
  }
  EXPECT_TRUE(again);
}

TEST_F(DeviceTest, MemoryAndBusyTimeAreCountedByKindOfWorker) {
  Create("any");
  const std::string card = AddCard();
  rig_.RunAll(card, 6);
  rig_.Tick();
  const std::string labels = "{compute_class=\"cuda-sm90-132\",device=\"cuda\"} ";
  const std::string text = rig_.metrics->Text();
  EXPECT_THAT(text, HasSubstr("bitwright_device_memory_bytes" + labels + std::to_string(int64_t{80} << 30)));
  EXPECT_THAT(text, HasSubstr("bitwright_worker_busy_seconds_total" + labels));
}

TEST(CodeVersion, OfAWorkerWithACardHasTheProgramInFront) {
  EXPECT_EQ(ProgramOf("1.0-ab+cd"), "1.0-ab");
  EXPECT_EQ(ProgramOf("1.0-ab"), "1.0-ab");
  EXPECT_TRUE(RunsCode("1.0-ab+cd", "1.0-ab"));
  EXPECT_TRUE(RunsCode("1.0-ab+cd", "1.0-ab+cd"));
  EXPECT_FALSE(RunsCode("1.0-ab+cd", "1.0-ab+ef"));
  EXPECT_FALSE(RunsCode("1.0-ab", "1.0-ab+cd"));
  EXPECT_EQ(WithLibraries("1.0-ab", "cd"), "1.0-ab+cd");
}

}  // namespace
}  // namespace bitwright::server
