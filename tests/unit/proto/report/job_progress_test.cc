#include "proto/report/job_progress.h"

#include <gtest/gtest.h>

#include <limits>

namespace bitwright {
namespace {

TEST(JobProgress, HundredPercentIsForWhatSucceeded) {
  v1::Job job;
  job.set_state(v1::Job::RUNNING);
  EXPECT_EQ(PercentDone(job), 0);
  job.set_progress(0.439);
  EXPECT_EQ(PercentDone(job), 43);
  job.set_progress(1.0);
  EXPECT_EQ(PercentDone(job), 99);
  for (const v1::Job::State state : {v1::Job::FAILED, v1::Job::CANCELLED}) {
    job.set_state(state);
    EXPECT_EQ(PercentDone(job), 99);
  }
  job.set_progress(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(PercentDone(job), 0);
  job.set_state(v1::Job::SUCCEEDED);
  EXPECT_EQ(PercentDone(job), 100);
}

TEST(JobProgress, TimeRunsUntilTheEnd) {
  v1::Job job;
  job.set_state(v1::Job::RUNNING);
  EXPECT_EQ(ProgressText(job, absl::FromUnixSeconds(50)), "0 %");
  job.mutable_start_time()->set_seconds(40);
  job.mutable_remaining()->set_seconds(125);
  EXPECT_EQ(ProgressText(job, absl::FromUnixSeconds(50)), "0 %, 10 s, about 2 min 05 s left");
  EXPECT_EQ(ElapsedText(job, absl::FromUnixSeconds(30)), "0.0 s") << "the server's clock is ahead";
  job.set_state(v1::Job::SUCCEEDED);
  job.mutable_end_time()->set_seconds(47);
  EXPECT_EQ(ProgressText(job, absl::FromUnixSeconds(5000)), "100 %, 7.0 s");
}

TEST(JobProgress, Waiting) {
  v1::Notice notice;
  EXPECT_EQ(WaitingText(notice), "");
  notice.set_message("no worker is registered\033[2J");
  notice.set_reason("NO_WORKER");
  EXPECT_EQ(WaitingText(notice), "no worker is registered?[2J [NO_WORKER]");
}

}  // namespace
}  // namespace bitwright
