#include "client/cli/resource_text.h"

#include <regex>
#include <vector>

#include "client/cli/find_resource.h"
#include "client/cli/job_draft.h"
#include "proto/base/errors.h"
#include "proto/contract/rpc_status.h"
#include "proto/inputs/budget.h"
#include "proto/report/number_text.h"
#include "tests/support/status_matchers.h"

namespace bitwright::client {
namespace {

TEST(ResourceText, JobTable) {
  v1::Job job;
  job.set_name("jobs/abc");
  job.set_state(v1::Job::RUNNING);
  job.mutable_spec()->mutable_budget()->set_average_bits(4.25);
  job.mutable_spec()->set_display_name("my\nmodel");
  job.mutable_create_time()->set_seconds(1795521600);
  job.set_progress(0.5);
  job.mutable_start_time()->set_seconds(1795521610);
  job.mutable_remaining()->set_seconds(12);
  EXPECT_EQ(JobTable(std::vector{job}, absl::FromUnixSeconds(1795521622)),
            "job       state    done  time  left             budget   name      created\n"
            "--------  -------  ----  ----  ---------------  -------  --------  --------------------\n"
            "jobs/abc  RUNNING  50 %  12 s  about 12 s left  4.25bpw  my?model  2026-11-24T12:00:00Z\n");
}

TEST(ResourceText, FailedJobSaysWhy) {
  v1::Job job;
  job.set_name("jobs/abc");
  job.set_state(v1::Job::FAILED);
  *job.mutable_error() = ToProto(MakeError(absl::StatusCode::kInvalidArgument, "CALIBRATION_EMPTY", "no text"));
  EXPECT_NE(JobText(job, absl::UnixEpoch()).find("no text [CALIBRATION_EMPTY]"), std::string::npos);
}

TEST(ResourceText, EmptyMessagesAreNoFault) {
  EXPECT_FALSE(JobText({}, absl::UnixEpoch()).empty());
  EXPECT_FALSE(ModelText({}).empty());
  EXPECT_FALSE(EstimateText({}, {}).empty());
  EXPECT_FALSE(ModelTable({}).empty());
  EXPECT_FALSE(WorkerTable({}).empty());
  EXPECT_TRUE(RecipeTable({}).empty());
}

TEST(ResourceText, AWorkersCardIsShownWithItsMemory) {
  std::vector<v1::Worker> workers(2);
  v1::WorkerCapacity& card = *workers[0].mutable_capacity();
  card.set_device("cuda");
  card.set_device_name("NVIDIA H100 80GB HBM3");
  card.set_device_memory_bytes(int64_t{80} << 30);
  card.set_compute_class("cuda-sm90-132");
  workers[1].mutable_capacity()->set_device("cpu");
  const std::string text = WorkerTable(workers);
  EXPECT_NE(text.find("cuda: NVIDIA H100 80GB HBM3, " + BytesText(int64_t{80} << 30)), std::string::npos) << text;
  EXPECT_NE(text.find(" cpu "), std::string::npos) << text;
}

TEST(ResourceText, WhatAJobNeedsOnACardIsShown) {
  v1::Job planned;
  EXPECT_EQ(EstimateText(planned, {}).find("graphics card"), std::string::npos) << "a server of before says nothing";
  planned.mutable_estimate()->set_peak_device_memory_bytes(int64_t{20} << 30);
  EXPECT_NE(EstimateText(planned, {}).find("graphics card"), std::string::npos);
}

TEST(ResourceText, WaitingWarningsAndLabelsAreShown) {
  v1::Job job;
  job.mutable_waiting()->set_reason("NO_WORKER");
  job.mutable_waiting()->set_message("no worker is registered");
  v1::Notice* notice = job.add_notices();
  notice->set_reason("TEXTS_OVERLAP");
  notice->set_message("the texts overlap");
  (*job.mutable_spec()->mutable_labels())["team"] = "nlp";
  const std::string text = JobText(job, absl::UnixEpoch());
  for (const char* part : {"no worker is registered [NO_WORKER]", "the texts overlap [TEXTS_OVERLAP]", "team=nlp"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

// Both bounds are budgets that pass as they are printed.
TEST(ResourceText, BoundsAreRoundedInwards) {
  for (const auto& [smallest, largest] : {std::pair{2.0520001, 8.4999999}, {2.052, 8.5}, {2.0519999999, 8.1256}}) {
    v1::Job planned;
    v1::Estimate& estimate = *planned.mutable_estimate();
    estimate.set_smallest_average_bits(smallest);
    estimate.set_largest_average_bits(largest);
    estimate.set_smallest_artifact_bytes(1234567);
    estimate.set_largest_artifact_bytes(7654321);
    const std::string text = EstimateText(planned, {});
    std::smatch bits;
    ASSERT_TRUE(std::regex_search(text, bits, std::regex(R"(([\d.]+bpw) to ([\d.]+bpw))"))) << text;
    ASSERT_OK_AND_ASSIGN(const v1::Budget low, ParseBudget(bits[1].str()));
    ASSERT_OK_AND_ASSIGN(const v1::Budget high, ParseBudget(bits[2].str()));
    EXPECT_GE(low.average_bits(), smallest);
    EXPECT_LT(low.average_bits(), smallest + 0.0011);
    EXPECT_LE(high.average_bits(), largest);
    EXPECT_GT(high.average_bits(), largest - 0.0011);
    std::smatch bytes;
    ASSERT_TRUE(std::regex_search(text, bytes, std::regex(R"((\d+B) to (\d+B))"))) << text;
    EXPECT_EQ(ParseBudget(bytes[1].str())->artifact_bytes(), 1234567);
    EXPECT_EQ(ParseBudget(bytes[2].str())->artifact_bytes(), 7654321);
  }
}

TEST(JobSpecText, Names) {
  EXPECT_EQ(FullName("jobs", "abc"), "jobs/abc");
  EXPECT_EQ(FullName("jobs", "jobs/abc"), "jobs/abc");
  EXPECT_EQ(IdOf("recipes", "recipes/x"), "x");
  EXPECT_EQ(IdOf("recipes", "x"), "x");
  EXPECT_EQ(FolderName("/a/b/"), "b");
  EXPECT_EQ(FolderName("/a/b/."), "b");
}

}  // namespace
}  // namespace bitwright::client
