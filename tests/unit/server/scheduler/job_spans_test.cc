// Spans of jobs, their stages and the attempts of their tasks.
#include <map>
#include <set>

#include "proto/base/wire_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/kept_spans.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kCallersTrace[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class JobSpansTest : public ::testing::Test {
 protected:
  JobSpansTest() {
    rig_.options.spans = &spans_;
    rig_.Restart();
  }

  v1::Job Create(const std::string& traceparent = kCallersTrace) {
    CallContext call = kCaller;
    call.work_trace = traceparent;
    v1::Job job = rig_.CreateJob(rig_.Spec(rig_.ReadyModel().name()), call);
    EXPECT_EQ(job.traceparent(), traceparent);
    return job;
  }
  v1::Job Get(const std::string& name) { return *rig_.jobs->Get(kCaller, name); }

  // Runs a task, which takes a while.
  void RunOne(const std::string& worker) {
    const v1::Lease lease = rig_.Lease(worker);
    rig_.Pass(2);
    BITWRIGHT_ASSERT_OK(rig_.Complete(worker, lease));
  }

  // The one tree that belongs to an ended job: job, stages, attempts; nothing else, and nothing twice.
  void CheckTree(const v1::Job& job) {
    const TraceContext caller = *ParseTraceParent(job.traceparent());
    std::map<SpanId, Span> by_id;
    for (const Span& span : spans_.all()) {
      EXPECT_TRUE(by_id.emplace(span.context.span_id, span).second) << "ended twice: " << span.name;
      EXPECT_EQ(span.context.trace_id, caller.trace_id);
      EXPECT_TRUE(span.context.sampled);
      EXPECT_LE(span.start, span.end) << span.name;
    }
    const std::vector<Span> root = spans_.Named("job");
    ASSERT_THAT(root, SizeIs(1));
    EXPECT_EQ(root[0].parent, caller.span_id);
    EXPECT_EQ(root[0].start, FromProto(job.create_time()));
    EXPECT_EQ(root[0].end, FromProto(job.end_time()));
    EXPECT_EQ(TextOf(root[0], "bitwright.job"), job.name());
    EXPECT_EQ(TextOf(root[0], "bitwright.job.state"), v1::Job::State_Name(job.state()));
    for (const auto& [id, span] : by_id) {
      if (span.name == "job") continue;
      ASSERT_TRUE(span.parent && by_id.contains(*span.parent)) << span.name << " has no parent";
      const Span& parent = by_id.at(*span.parent);
      EXPECT_GE(span.start, parent.start) << span.name << " in " << parent.name;
      EXPECT_LE(span.end, parent.end) << span.name << " in " << parent.name;
      const bool task = span.name.starts_with("task ");
      EXPECT_EQ(parent.name, task ? "stage " + TextOf(span, "bitwright.task.kind") : "job");
    }
  }

  Rig rig_;
  KeptSpans spans_;
};

TEST_F(JobSpansTest, AreTheTreeOfWhatRan) {
  const v1::Job created = Create();
  EXPECT_THAT(spans_.all(), IsEmpty()) << "nothing has ended, and models are not traced";
  const std::string worker = rig_.AddWorker();
  rig_.Pass(1);
  int tasks = 0;
  for (; Get(created.name()).state() < v1::Job::SUCCEEDED; ++tasks) RunOne(worker);
  const v1::Job job = Get(created.name());
  ASSERT_EQ(job.state(), v1::Job::SUCCEEDED);
  CheckTree(job);
  EXPECT_THAT(spans_.Beginning("stage "), SizeIs(job.stages_size()));
  EXPECT_THAT(spans_.Beginning("task "), SizeIs(tasks));
  for (const Span& span : spans_.Beginning("task ")) {
    EXPECT_EQ(span.end - span.start, absl::Seconds(2)) << span.name;
    EXPECT_EQ(TextOf(span, "bitwright.worker"), worker);
    EXPECT_EQ(TextOf(span, "bitwright.task.outcome"), "done");
    EXPECT_FALSE(span.failed);
  }
}

TEST_F(JobSpansTest, OfTheCacheTakeNoTime) {
  const std::string worker = rig_.AddWorker();
  const v1::JobSpec spec = rig_.Spec(rig_.ReadyModel().name());
  rig_.CreateJob(spec);  // of nobody's trace
  rig_.RunAll(worker);
  ASSERT_THAT(spans_.all(), IsEmpty());
  rig_.Pass(5);
  CallContext call = kCaller;
  call.work_trace = kCallersTrace;
  const v1::Job job = Get(rig_.CreateJob(spec, call).name());
  rig_.RunAll(worker);  // the report, which names its own job
  const v1::Job done = Get(job.name());
  ASSERT_EQ(done.state(), v1::Job::SUCCEEDED);
  CheckTree(done);
  int cached = 0;
  for (const v1::Stage& stage : done.stages()) cached += stage.cached();
  ASSERT_GT(cached, 0);
  int told = 0;
  for (const Span& span : spans_.Beginning("task ")) {
    for (const auto& [key, value] : span.attributes) {
      if (key != "bitwright.task.cached" || !std::get<bool>(value)) continue;
      ++told;
      EXPECT_EQ(span.start, span.end);
    }
  }
  EXPECT_EQ(told, cached);
}

TEST_F(JobSpansTest, SayWhatWentWrong) {
  const v1::Job created = Create();
  const std::string worker = rig_.AddWorker();
  const v1::Lease first = rig_.Lease(worker);
  rig_.Pass(3);
  BITWRIGHT_ASSERT_OK(rig_.FailLease(worker, first, absl::InternalError("the child crashed"), /*machinery=*/true));
  const std::vector<Span> attempts = spans_.Beginning("task ");
  ASSERT_THAT(attempts, SizeIs(1));
  EXPECT_EQ(TextOf(attempts[0], "bitwright.task.outcome"), "released");
  EXPECT_TRUE(attempts[0].failed);
  EXPECT_EQ(attempts[0].message, "the child crashed");
  EXPECT_EQ(attempts[0].end - attempts[0].start, absl::Seconds(3));
  rig_.Pass(60);  // its back-off
  const v1::Lease again = rig_.Lease(worker);
  rig_.Pass(1);
  BITWRIGHT_ASSERT_OK(rig_.FailLease(worker, again, absl::InvalidArgumentError("bad text"), /*machinery=*/false));
  const v1::Job job = Get(created.name());
  ASSERT_EQ(job.state(), v1::Job::FAILED);
  CheckTree(job);
  std::multiset<std::string> outcomes;
  for (const Span& span : spans_.Beginning("task ")) outcomes.insert(TextOf(span, "bitwright.task.outcome"));
  EXPECT_EQ(outcomes.count("released"), 1u);
  EXPECT_EQ(outcomes.count("failed"), 1u);
  EXPECT_TRUE(spans_.Named("job")[0].failed);
}

TEST_F(JobSpansTest, OfACancelledJobEndWithIt) {
  const v1::Job created = Create();
  const std::string worker = rig_.AddWorker();
  RunOne(worker);
  rig_.Lease(worker);
  rig_.Pass(4);
  BITWRIGHT_ASSERT_OK(rig_.jobs->Cancel(kCaller, created.name()).status());
  rig_.scheduler->Settle();
  const v1::Job job = Get(created.name());
  CheckTree(job);
  const std::vector<Span> tasks = spans_.Beginning("task ");
  ASSERT_THAT(tasks, SizeIs(2));
  EXPECT_EQ(TextOf(tasks[1], "bitwright.task.outcome"), "cancelled");
  EXPECT_EQ(tasks[1].end, FromProto(job.end_time()));
  EXPECT_FALSE(spans_.Named("job")[0].failed) << "that is what somebody wanted";
}

// However often the server is restarted under an attempt: what ended before and what ends after it is one tree, whole
// and without repetition.
TEST_F(JobSpansTest, JoinAcrossRestarts) {
  const v1::Job created = Create();
  std::string worker = rig_.AddWorker();
  int tasks = 0;
  for (; Get(created.name()).state() < v1::Job::SUCCEEDED; ++tasks) {
    const v1::Lease lease = rig_.Lease(worker);
    rig_.Pass(2);
    if (tasks % 4 == 1) {
      rig_.Restart();
      worker = rig_.AddWorker();
      EXPECT_FALSE(rig_.Lost(worker, lease));
    }
    rig_.Pass(1);
    BITWRIGHT_ASSERT_OK(rig_.Complete(worker, lease));
  }
  const v1::Job job = Get(created.name());
  ASSERT_EQ(job.state(), v1::Job::SUCCEEDED);
  CheckTree(job);
  EXPECT_THAT(spans_.Beginning("stage "), SizeIs(job.stages_size()));
  ASSERT_THAT(spans_.Beginning("task "), SizeIs(tasks));
  for (const Span& span : spans_.Beginning("task ")) EXPECT_EQ(span.end - span.start, absl::Seconds(3)) << span.name;
}

TEST_F(JobSpansTest, OfAJobThatCannotBeReadEndsWithIt) {
  const v1::Job created = Create();
  BITWRIGHT_ASSERT_OK(rig_.store->Write([&](Transaction& tx) -> absl::Status {
    JobRow row = **tx.GetJob(created.name());
    row.recipe = "\xff";
    return tx.PutJob(row);
  }));
  rig_.Pass(5);
  rig_.Restart();
  const v1::Job job = Get(created.name());
  ASSERT_EQ(job.state(), v1::Job::FAILED);
  CheckTree(job);
  ASSERT_THAT(spans_.all(), SizeIs(1));
  EXPECT_TRUE(spans_.all()[0].failed);
}

TEST_F(JobSpansTest, AreNotThereWhereNobodySamples) {
  std::string unsampled = kCallersTrace;
  unsampled.back() = '0';
  for (const std::string& trace : {unsampled, std::string()}) {
    const v1::Job job = Create(trace);
    rig_.RunAll(rig_.AddWorker());
    EXPECT_EQ(Get(job.name()).state(), v1::Job::SUCCEEDED);
    EXPECT_EQ(Get(job.name()).traceparent(), trace);
  }
  EXPECT_THAT(spans_.all(), IsEmpty());
}

TEST(SpanIdTest, FollowsFromTraceAndName) {
  const TraceContext a = NewTrace(), b = NewTrace();
  EXPECT_NE(a.trace_id, b.trace_id);
  EXPECT_NE(a.span_id, b.span_id);
  EXPECT_EQ(SpanIdOf(a.trace_id, "jobs/1"), SpanIdOf(a.trace_id, "jobs/1"));
  EXPECT_NE(SpanIdOf(a.trace_id, "jobs/1"), SpanIdOf(a.trace_id, "jobs/2"));
  EXPECT_NE(SpanIdOf(a.trace_id, "jobs/1"), SpanIdOf(b.trace_id, "jobs/1"));
}

}  // namespace
}  // namespace bitwright::server
