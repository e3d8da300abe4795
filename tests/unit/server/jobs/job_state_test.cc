#include "server/jobs/job_state.h"

#include "proto/contract/job_states.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using v1::Job;

TEST(JobState, UnfinishedJobsMove) {
  for (const Job::State state : {Job::QUEUED, Job::RUNNING}) {
    EXPECT_EQ(*NextJobState(state, JobEvent::kFirstLease), Job::RUNNING);
    EXPECT_EQ(*NextJobState(state, JobEvent::kAllTasksDone), Job::SUCCEEDED);
    EXPECT_EQ(*NextJobState(state, JobEvent::kTaskFailed), Job::FAILED);
    EXPECT_EQ(*NextJobState(state, JobEvent::kCancelRequested), Job::CANCELLED);
    EXPECT_FALSE(IsTerminal(state));
  }
}

TEST(JobState, LateEventsChangeNothing) {
  for (const Job::State state : {Job::SUCCEEDED, Job::FAILED, Job::CANCELLED}) {
    for (const JobEvent event : {JobEvent::kFirstLease, JobEvent::kAllTasksDone, JobEvent::kTaskFailed}) {
      EXPECT_EQ(*NextJobState(state, event), state);
    }
    EXPECT_TRUE(IsTerminal(state));
  }
}

TEST(JobState, OnlyFinishedJobsRefuseToBeCancelled) {
  EXPECT_EQ(*NextJobState(Job::CANCELLED, JobEvent::kCancelRequested), Job::CANCELLED);
  for (const Job::State state : {Job::SUCCEEDED, Job::FAILED}) {
    const auto next = NextJobState(state, JobEvent::kCancelRequested);
    EXPECT_THAT(next, HasReason("JOB_FINISHED"));
    EXPECT_THAT(next, StatusIs(absl::StatusCode::kFailedPrecondition));
  }
}

TEST(JobState, UnknownStateIsAnError) {
  EXPECT_THAT(NextJobState(Job::STATE_UNSPECIFIED, JobEvent::kFirstLease), HasReason("JOB_STATE_UNKNOWN"));
}

}  // namespace
}  // namespace bitwright::server
