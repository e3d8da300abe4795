#include "client/cli/resource_text.h"

#include <gtest/gtest.h>

#include <vector>

#include "client/cli/job_spec.h"
#include "proto/base/errors.h"
#include "proto/contract/rpc_status.h"

namespace bitwright::client {
namespace {

TEST(ResourceText, JobTable) {
  v1::Job job;
  job.set_name("jobs/abc");
  job.set_state(v1::Job::RUNNING);
  job.mutable_spec()->mutable_budget()->set_average_bits(4.25);
  job.mutable_spec()->set_display_name("my\nmodel");
  job.mutable_create_time()->set_seconds(1795521600);
  job.add_stages()->set_fraction(1);
  job.add_stages()->set_fraction(0);
  EXPECT_EQ(JobTable(std::vector{job}),
            "job       state    done  budget                name      created\n"
            "--------  -------  ----  --------------------  --------  --------------------\n"
            "jobs/abc  RUNNING  50 %  4.25 bits per weight  my?model  2026-11-24T12:00:00Z\n");
}

TEST(ResourceText, FailedJobSaysWhy) {
  v1::Job job;
  job.set_name("jobs/abc");
  job.set_state(v1::Job::FAILED);
  *job.mutable_error() = ToProto(MakeError(absl::StatusCode::kInvalidArgument, "CALIBRATION_EMPTY", "no text"));
  EXPECT_NE(JobText(job).find("no text [CALIBRATION_EMPTY]"), std::string::npos);
}

TEST(ResourceText, EmptyMessagesAreNoFault) {
  EXPECT_FALSE(JobText({}).empty());
  EXPECT_FALSE(ModelText({}).empty());
  EXPECT_FALSE(EstimateText({}).empty());
  EXPECT_FALSE(ModelTable({}).empty());
  EXPECT_FALSE(WorkerTable({}).empty());
  EXPECT_TRUE(RecipeTable({}).empty());
}

TEST(JobSpecText, Names) {
  EXPECT_EQ(FullName("jobs", "abc"), "jobs/abc");
  EXPECT_EQ(FullName("jobs", "jobs/abc"), "jobs/abc");
  EXPECT_EQ(FolderName("/a/b/"), "b");
  EXPECT_EQ(FolderName("/a/b/."), "b");
  EXPECT_EQ(DataKind("x.ids.jsonl"), v1::Data::TOKEN_IDS_JSONL);
  EXPECT_EQ(DataKind("x.jsonl"), v1::Data::TEXT);
}

}  // namespace
}  // namespace bitwright::client
