#include "server/resources/tasks.h"

#include <algorithm>
#include <map>

#include "proto/base/wire_time.h"
#include "server/scheduler/task_view.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

std::vector<v1::Task> All(Rig& rig, const std::string& parent, int page_size = 0) {
  std::vector<v1::Task> tasks;
  v1::ListTasksRequest request;
  request.set_parent(parent);
  request.set_page_size(page_size);
  do {
    const auto page = rig.tasks->List(kCaller, request);
    EXPECT_THAT(page, IsOk());
    if (!page.ok()) break;
    tasks.insert(tasks.end(), page->tasks().begin(), page->tasks().end());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return tasks;
}

v1::Task Named(const std::vector<v1::Task>& tasks, const std::string& name) {
  const auto it = std::find_if(tasks.begin(), tasks.end(), [&](const v1::Task& task) { return task.name() == name; });
  return it == tasks.end() ? v1::Task() : *it;
}

TEST(Tasks, OfAnUnfinishedJobSayWhereTheyAre) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  const std::string worker = rig.AddWorker();
  const absl::Time begun = rig.clock.Now();
  const v1::Lease lease = rig.Lease(worker);
  EXPECT_FALSE(rig.Lost(worker, lease));  // tells a progress of 0.5
  const v1::Task running = Named(All(rig, job), lease.task());
  EXPECT_EQ(running.state(), v1::Task::LEASED);
  EXPECT_EQ(running.kind(), lease.spec().kind());
  EXPECT_EQ(running.worker(), worker);
  EXPECT_EQ(running.attempts(), 1);
  EXPECT_EQ(running.progress(), 0.5);
  EXPECT_EQ(FromProto(running.start_time()), begun);
  EXPECT_EQ(FromProto(running.lease_expire_time()), rig.clock.Now() + absl::Seconds(20));
  EXPECT_EQ(running.digest().size(), 64u);
  BITWRIGHT_ASSERT_OK(rig.FailLease(worker, lease, absl::UnavailableError("the host broke"), true));
  const v1::Task failed = Named(All(rig, job), lease.task());
  EXPECT_EQ(failed.state(), v1::Task::READY);
  EXPECT_EQ(failed.error().message(), "the host broke");
  EXPECT_GT(FromProto(failed.retry_time()), rig.clock.Now());
  EXPECT_FALSE(failed.has_lease_expire_time());
}

TEST(Tasks, ComeInPagesByKeyEachOnce) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  rig.RunAll(rig.AddWorker(), 2);  // then the length of the texts is known, and most tasks are
  const std::vector<v1::Task> whole = All(rig, job, 1000);
  ASSERT_GT(whole.size(), 4u);
  const std::vector<v1::Task> paged = All(rig, job, 2);
  ASSERT_EQ(paged.size(), whole.size());
  for (size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(paged[i].key(), whole[i].key());
  EXPECT_TRUE(
      std::is_sorted(whole.begin(), whole.end(), [](const auto& a, const auto& b) { return a.key() < b.key(); }));
  v1::ListTasksRequest request;
  request.set_parent(job);
  request.set_page_token("x");
  EXPECT_THAT(rig.tasks->List(kCaller, request), HasReason("PAGE_TOKEN_INVALID"));
  request.clear_page_token();
  request.set_page_size(-1);
  EXPECT_THAT(rig.tasks->List(kCaller, request), HasReason("PAGE_SIZE_INVALID"));
}

// Pages go on where they were, though the job ended between them.
TEST(Tasks, OfAFinishedJobComeFromItsRows) {
  Rig rig;
  const std::string job = rig.QueuedJob().name();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker, 2);
  v1::ListTasksRequest request;
  request.set_parent(job);
  request.set_page_size(2);
  ASSERT_OK_AND_ASSIGN(const auto first, rig.tasks->List(kCaller, request));
  rig.RunAll(worker);
  ASSERT_EQ(rig.jobs->Get(kCaller, job)->state(), v1::Job::SUCCEEDED);
  request.set_page_token(first.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto second, rig.tasks->List(kCaller, request));
  ASSERT_GT(second.tasks_size(), 0);
  EXPECT_GT(second.tasks(0).key(), first.tasks(1).key());
  const std::vector<v1::Task> all = All(rig, job);
  ASSERT_OK_AND_ASSIGN(const v1::Job ended, rig.jobs->Get(kCaller, job));
  int expected = 0;
  for (const v1::Stage& stage : ended.stages()) expected += stage.tasks();
  EXPECT_EQ(static_cast<int>(all.size()), expected);
  for (const v1::Task& task : all) {
    EXPECT_EQ(task.state(), v1::Task::DONE) << task.key();
    EXPECT_EQ(task.seconds(), 0.5);
    EXPECT_TRUE(task.key().starts_with(task.kind())) << task.key();
  }
}

TEST(Tasks, KeptResultsAreNamedSo) {
  Rig rig;
  const v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  rig.CreateJob(spec);
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker);
  const std::string again = rig.CreateJob(spec).name();
  rig.RunAll(worker);
  for (const v1::Task& task : All(rig, again)) EXPECT_TRUE(task.cached() || task.kind() == "report") << task.key();
}

TEST(Tasks, OfAModelAreItsInspection) {
  Rig rig;
  v1::CreateModelRequest create;
  *create.mutable_manifest() = rig.Files();
  ASSERT_OK_AND_ASSIGN(const v1::Model model, rig.models->Create(kCaller, create));
  const std::string worker = rig.AddWorker();
  rig.Lease(worker);
  const std::vector<v1::Task> tasks = All(rig, model.name());
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].kind(), "inspect");
  EXPECT_EQ(tasks[0].state(), v1::Task::LEASED);
}

TEST(Tasks, OfOthersAreNotThere) {
  Rig rig;
  v1::ListTasksRequest request;
  request.set_parent(rig.QueuedJob().name());
  const CallContext stranger{.principal = {.name = "mallory", .tenant = "other", .roles = Roles::All()}};
  EXPECT_THAT(rig.tasks->List(stranger, request), HasReason("JOB_NOT_FOUND"));
  request.set_parent("jobs/none");
  EXPECT_THAT(rig.tasks->List(kCaller, request), HasReason("JOB_NOT_FOUND"));
  request.set_parent("models/none");
  EXPECT_THAT(rig.tasks->List(kCaller, request), HasReason("MODEL_NOT_FOUND"));
  request.set_parent("workers/w");
  EXPECT_THAT(rig.tasks->List(kCaller, request), HasReason("NAME_INVALID"));
}

}  // namespace
}  // namespace bitwright::server
