#include "server/resources/jobs.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

absl::StatusOr<v1::Job> Create(Rig& rig, const v1::JobSpec& spec, const std::string& request_id = "",
                               bool validate_only = false) {
  v1::CreateJobRequest request;
  *request.mutable_spec() = spec;
  request.set_request_id(request_id);
  request.set_validate_only(validate_only);
  return rig.jobs->Create(request);
}

TEST(Jobs, WrongSpecsAreRefusedWithTheirReason) {
  Rig rig;
  const v1::JobSpec good = rig.Spec(rig.ReadyModel().name());
  const auto with = [&](const std::function<void(v1::JobSpec&)>& change) {
    v1::JobSpec spec = good;
    change(spec);
    return Create(rig, spec);
  };
  EXPECT_THAT(with([](auto& s) { s.set_model("models/none"); }), HasReason("MODEL_NOT_FOUND"));
  EXPECT_THAT(with([](auto& s) { s.set_model("none"); }), HasReason("NAME_INVALID"));
  EXPECT_THAT(with([](auto& s) { s.set_recipe("recipes/none"); }), HasReason("RECIPE_NOT_FOUND"));
  EXPECT_THAT(with([](auto& s) { s.clear_budget(); }), HasReason("BUDGET_MISSING"));
  EXPECT_THAT(with([](auto& s) { s.mutable_budget()->set_average_bits(1); }), HasReason("BUDGET_BELOW_SMALLEST_PLAN"));
  EXPECT_THAT(with([](auto& s) { s.mutable_budget()->set_average_bits(30); }), HasReason("BUDGET_ABOVE_LARGEST_PLAN"));
  EXPECT_THAT(with([](auto& s) { s.set_target("gguf"); }), HasReason("TARGET_UNKNOWN"));
  EXPECT_THAT(with([](auto& s) { s.mutable_evaluation()->set_window(1); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(with([](auto& s) { *s.mutable_calibration()->mutable_blob() = ToProto(DigestOf("never uploaded")); }),
              HasReason("BLOB_MISSING"));
  BITWRIGHT_EXPECT_OK(with([](auto&) {}));
}

TEST(Jobs, ValidationQueuesNothing) {
  Rig rig;
  const v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  ASSERT_OK_AND_ASSIGN(const v1::Job job, Create(rig, spec, "", true));
  EXPECT_EQ(job.name(), "");
  EXPECT_EQ(job.state(), v1::Job::QUEUED);
  EXPECT_GT(job.estimate().artifact_bytes(), 0);
  EXPECT_GT(job.estimate().seconds(), 0);
  EXPECT_EQ(rig.jobs->List({})->jobs_size(), 0);
  EXPECT_FALSE(rig.TryLease(rig.AddWorker())->has_value());
}

TEST(Jobs, ARequestIdMakesCreationRepeatable) {
  Rig rig;
  v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  ASSERT_OK_AND_ASSIGN(const v1::Job first, Create(rig, spec, "r"));
  rig.Restart();
  ASSERT_OK_AND_ASSIGN(const v1::Job again, Create(rig, spec, "r"));
  EXPECT_EQ(again.name(), first.name());
  ASSERT_OK_AND_ASSIGN(const v1::Job other, Create(rig, spec, "s"));
  EXPECT_NE(other.name(), first.name());
  spec.set_priority(1);
  EXPECT_THAT(Create(rig, spec, "r"), HasReason("REQUEST_ID_REUSED"));
}

TEST(Jobs, AreListedInPagesAndByState) {
  Rig rig;
  const v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  std::vector<std::string> names;
  for (int i = 0; i < 7; ++i) names.insert(names.begin(), Create(rig, spec)->name());
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(names[2]));
  v1::ListJobsRequest request;
  request.set_page_size(3);
  std::vector<std::string> seen;
  std::string second_page;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, rig.jobs->List(request));
    for (const v1::Job& job : page.jobs()) seen.push_back(job.name());
    request.set_page_token(page.next_page_token());
    if (second_page.empty()) second_page = page.next_page_token();
  } while (!request.page_token().empty());
  EXPECT_EQ(seen, names);
  request.set_state(v1::Job::CANCELLED);
  EXPECT_EQ(rig.jobs->List(request)->jobs_size(), 1);
  request.set_page_token(second_page);
  EXPECT_THAT(rig.jobs->List(request), HasReason("PAGE_TOKEN_INVALID")) << "a token of another query";
}

TEST(Jobs, FinishedJobsCanBeDeletedAndNotCancelled) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  EXPECT_THAT(rig.jobs->Delete(job.name()), HasReason("JOB_UNFINISHED"));
  EXPECT_THAT(rig.jobs->Report(job.name()), HasReason("JOB_UNFINISHED"));
  rig.RunAll(rig.AddWorker());
  EXPECT_THAT(rig.jobs->Cancel(job.name()), HasReason("JOB_FINISHED"));
  BITWRIGHT_EXPECT_OK(rig.jobs->Report(job.name()));
  BITWRIGHT_EXPECT_OK(rig.jobs->Delete(job.name()));
  EXPECT_THAT(rig.jobs->Get(job.name()), HasReason("JOB_NOT_FOUND"));
  EXPECT_THAT(rig.jobs->Cancel(job.name()), HasReason("JOB_NOT_FOUND"));
  EXPECT_THAT(rig.jobs->Delete(job.name()), HasReason("JOB_NOT_FOUND"));
}

TEST(Jobs, OutliveTheirModel) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  rig.RunAll(rig.AddWorker());
  BITWRIGHT_ASSERT_OK(rig.models->Delete(job.spec().model()));
  rig.clock.Advance(7200);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  ASSERT_OK_AND_ASSIGN(const v1::Job done, rig.jobs->Get(job.name()));
  BITWRIGHT_EXPECT_OK(rig.jobs->Report(job.name()));
  EXPECT_TRUE(*rig.held->Has(*FromProto(done.artifact().files(0).digest())));
}

}  // namespace
}  // namespace bitwright::server
