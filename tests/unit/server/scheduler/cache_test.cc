#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

int Cached(const v1::Job& job) {
  int sum = 0;
  for (const v1::Stage& stage : job.stages()) sum += stage.cached();
  return sum;
}

TEST(Cache, TheSameJobAgainRunsNothing) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const std::string worker = rig.AddWorker();
  rig.CreateJob(rig.Spec(model.name()));
  const int ran = rig.RunAll(worker);
  const v1::Job again = rig.CreateJob(rig.Spec(model.name()));
  EXPECT_EQ(rig.RunAll(worker), 0);
  ASSERT_OK_AND_ASSIGN(const v1::Job job, rig.jobs->Get(kCaller, again.name()));
  EXPECT_EQ(job.state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(Cached(job), ran);
}

TEST(Cache, AnotherBudgetSharesWhatDoesNotDependOnIt) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const std::string worker = rig.AddWorker();
  rig.CreateJob(rig.Spec(model.name(), 4.25));
  const int first = rig.RunAll(worker);
  const v1::Job second = rig.CreateJob(rig.Spec(model.name(), 3.5));
  const int ran = rig.RunAll(worker);
  EXPECT_GT(ran, 0);
  EXPECT_LT(ran, first);
  EXPECT_EQ(Cached(*rig.jobs->Get(kCaller, second.name())), first - ran);
}

TEST(Cache, AnotherClassSharesOnlyWhatIsNotNumeric) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  rig.CreateJob(rig.Spec(model.name()));
  const std::string worker = rig.AddWorker();
  const int first = rig.RunAll(worker);
  const std::string other = rig.AddWorker([](auto& capacity) { capacity.set_compute_class("cpu-avx512"); });
  rig.CreateJob(rig.Spec(model.name()));
  const int ran = rig.RunAll(other);
  EXPECT_GT(ran, first / 2);
  EXPECT_LT(ran, first);
}

TEST(Cache, AnInspectedModelIsReadyAtOnceTheSecondTime) {
  Rig rig;
  BITWRIGHT_ASSERT_OK(rig.models->Delete(kCaller, rig.ReadyModel("a").name()));
  rig.AddWorker();
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files("a");
  ASSERT_OK_AND_ASSIGN(const v1::Model again, rig.models->Create(kCaller, request));
  EXPECT_EQ(again.state(), v1::Model::READY);
}

TEST(Cache, AHitNeedsEveryOutput) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const std::string worker = rig.AddWorker();
  rig.CreateJob(rig.Spec(model.name()));
  v1::Lease lease = rig.Lease(worker);
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  rig.RunAll(worker);
  // Behind the server's back, the file of an output goes.
  std::optional<TaskRow> row;
  BITWRIGHT_ASSERT_OK(rig.store->Read([&](Snapshot& snapshot) {
    row = *snapshot.GetTask(lease.task());
    return absl::OkStatus();
  }));
  v1::TaskResult result;
  ASSERT_TRUE(result.ParseFromString(row->result));
  BITWRIGHT_ASSERT_OK(rig.blobs->Remove(*FromProto(result.outputs(0).digest())));
  rig.CreateJob(rig.Spec(model.name()));
  const v1::Lease rerun = rig.Lease(worker);
  EXPECT_EQ(rerun.spec().SerializeAsString(), lease.spec().SerializeAsString());
}

TEST(Cache, EqualTasksOfTwoJobsRunOnce) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const std::string first = rig.AddWorker();
  const std::string second = rig.AddWorker();
  const v1::Job one = rig.CreateJob(rig.Spec(model.name()));
  const v1::Job two = rig.CreateJob(rig.Spec(model.name()));
  const v1::Lease a = rig.Lease(first);
  const v1::Lease b = rig.Lease(second);
  EXPECT_NE(a.spec().SerializeAsString(), b.spec().SerializeAsString());
  EXPECT_FALSE(rig.TryLease(rig.AddWorker())->has_value()) << "both first tasks run already, for the other job too";
  BITWRIGHT_ASSERT_OK(rig.Complete(first, a));
  BITWRIGHT_ASSERT_OK(rig.Complete(second, b));
  rig.RunAll(first);
  EXPECT_EQ(rig.jobs->Get(kCaller, one.name())->state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(rig.jobs->Get(kCaller, two.name())->state(), v1::Job::SUCCEEDED);
}

}  // namespace
}  // namespace bitwright::server
