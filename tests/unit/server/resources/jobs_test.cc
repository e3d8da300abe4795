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
  return rig.jobs->Create(kCaller, request);
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
  EXPECT_THAT(with([](auto& s) { s.set_target("ggml"); }), HasReason("TARGET_UNKNOWN"));
  EXPECT_THAT(with([](auto& s) { s.mutable_evaluation(0)->set_window(1); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(with([](auto& s) { *s.add_choices()->mutable_blob() = ToProto(DigestOf("never uploaded")); }),
              HasReason("BLOB_MISSING"));
  EXPECT_THAT(with([](auto& s) { *s.mutable_calibration(0)->mutable_blob() = ToProto(DigestOf("never uploaded")); }),
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
  EXPECT_EQ(rig.jobs->List(kCaller, {})->jobs_size(), 0);
  EXPECT_FALSE(rig.TryLease(rig.AddWorker())->has_value());
}

TEST(Jobs, ValidationNeedsNeitherBudgetNorData) {
  Rig rig;
  v1::JobSpec spec;
  spec.set_model(rig.ReadyModel().name());
  spec.set_recipe("recipes/mixed-gptq");
  ASSERT_OK_AND_ASSIGN(const v1::Job job, Create(rig, spec, "", true));
  EXPECT_FALSE(job.spec().has_budget());
  EXPECT_GT(job.estimate().largest_average_bits(), job.estimate().smallest_average_bits());
  EXPECT_EQ(job.estimate().artifact_bytes(), job.estimate().largest_artifact_bytes());
  EXPECT_THAT(Create(rig, spec), HasReason("BUDGET_MISSING"));
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
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(kCaller, names[2]));
  v1::ListJobsRequest request;
  request.set_page_size(3);
  std::vector<std::string> seen;
  std::string second_page;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, rig.jobs->List(kCaller, request));
    for (const v1::Job& job : page.jobs()) seen.push_back(job.name());
    request.set_page_token(page.next_page_token());
    if (second_page.empty()) second_page = page.next_page_token();
  } while (!request.page_token().empty());
  EXPECT_EQ(seen, names);
  request.set_state(v1::Job::CANCELLED);
  EXPECT_EQ(rig.jobs->List(kCaller, request)->jobs_size(), 1);
  request.set_page_token(second_page);
  EXPECT_THAT(rig.jobs->List(kCaller, request), HasReason("PAGE_TOKEN_INVALID")) << "a token of another query";
}

std::vector<std::string> Names(Rig& rig, v1::ListJobsRequest request) {
  std::vector<std::string> names;
  do {
    const auto page = rig.jobs->List(kCaller, request);
    EXPECT_THAT(page, IsOk());
    if (!page.ok()) break;
    for (const v1::Job& job : page->jobs()) names.push_back(job.name());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return names;
}

TEST(Jobs, AreFilteredAndOrdered) {
  Rig rig;
  v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  std::vector<std::string> names;
  for (int i = 0; i < 7; ++i) {
    spec.set_display_name(i % 2 == 0 ? "even job" : "odd job");
    (*spec.mutable_labels())["team"] = i < 3 ? "nlp" : "vision";
    names.push_back(Create(rig, spec)->name());
    rig.clock.Advance(1);
  }
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(kCaller, names[4]));
  const auto filtered = [&](const std::string& filter, const std::string& order = "", int state = 0) {
    v1::ListJobsRequest request;
    request.set_page_size(2);
    request.set_filter(filter);
    request.set_order_by(order);
    request.set_state(static_cast<v1::Job::State>(state));
    return Names(rig, request);
  };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(filtered("", "create_time"), names);
  EXPECT_EQ(filtered("display_name = \"odd*\"", "create_time"), (Strings{names[1], names[3], names[5]}));
  EXPECT_EQ(filtered("labels.team = nlp"), (Strings{names[2], names[1], names[0]}));
  EXPECT_EQ(filtered("labels.team != nlp AND state = QUEUED AND recipe = \"recipes/mixed*\"", "create_time"),
            (Strings{names[3], names[5], names[6]}));
  EXPECT_EQ(filtered("name = \"" + names[3].substr(0, 15) + "*\""), Strings{names[3]});
  EXPECT_EQ(filtered("state = CANCELLED"), Strings{names[4]});
  EXPECT_EQ(filtered("state = CANCELLED", "", v1::Job::QUEUED), Strings());
  EXPECT_EQ(filtered("model = \"" + spec.model() + "\" AND target = compressed-tensors").size(), 7u);
}

TEST(Jobs, PageTokensAreBoundToFilterAndOrder) {
  Rig rig;
  const v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  for (int i = 0; i < 3; ++i) BITWRIGHT_ASSERT_OK(Create(rig, spec));
  v1::ListJobsRequest request;
  request.set_page_size(1);
  request.set_filter("state = QUEUED");
  ASSERT_OK_AND_ASSIGN(const auto page, rig.jobs->List(kCaller, request));
  request.set_page_token(page.next_page_token());
  BITWRIGHT_EXPECT_OK(rig.jobs->List(kCaller, request));
  request.set_order_by("create_time");
  EXPECT_THAT(rig.jobs->List(kCaller, request), HasReason("PAGE_TOKEN_INVALID"));
  request.clear_order_by();
  request.set_filter("state = RUNNING");
  EXPECT_THAT(rig.jobs->List(kCaller, request), HasReason("PAGE_TOKEN_INVALID"));
  request.set_filter("nonsense");
  EXPECT_THAT(rig.jobs->List(kCaller, request), HasReason("FILTER_INVALID"));
  request.clear_filter();
  request.set_order_by("size");
  EXPECT_THAT(rig.jobs->List(kCaller, request), HasReason("ORDER_INVALID"));
}

// More than one reading of the store takes: the first match stands behind many rows that do not match.
TEST(Jobs, AFilterLooksPastManyOthers) {
  Rig rig;
  const v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  BITWRIGHT_ASSERT_OK(rig.store->Write([&](Transaction& tx) -> absl::Status {
    for (int i = 0; i < 10000; ++i) {
      v1::Job job;
      job.set_name("jobs/" + std::to_string(10000 + i));
      *job.mutable_spec() = spec;
      job.mutable_spec()->set_display_name(i % 4000 == 7 ? "wanted" : "other");
      job.set_state(v1::Job::FAILED);
      const JobRow row{.name = job.name(),
                       .model = spec.model(),
                       .state = job.state(),
                       .unfinished = false,
                       .body = job.SerializeAsString(),
                       .tenant = kDefaultTenant};
      if (auto status = tx.PutJob(row); !status.ok()) return status;
    }
    return absl::OkStatus();
  }));
  v1::ListJobsRequest request;
  request.set_page_size(2);
  request.set_filter("display_name = wanted");
  EXPECT_EQ(Names(rig, request), (std::vector<std::string>{"jobs/18007", "jobs/14007", "jobs/10007"}));
  request.set_filter("name = \"jobs/1234*\"");
  EXPECT_EQ(Names(rig, request).size(), 10u);
}

TEST(Jobs, OnesThatDidNotSucceedAreRetried) {
  Rig rig;
  v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  (*spec.mutable_labels())["team"] = "nlp";
  ASSERT_OK_AND_ASSIGN(const v1::Job first, Create(rig, spec));
  v1::RetryJobRequest request;
  request.set_name(first.name());
  request.set_request_id("r");
  EXPECT_THAT(rig.jobs->Retry(kCaller, request), HasReason("JOB_NOT_RETRYABLE"));
  const std::string worker = rig.AddWorker();
  const int ran = rig.RunAll(worker, 5);
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(kCaller, first.name()));
  ASSERT_OK_AND_ASSIGN(const v1::Job retried, rig.jobs->Retry(kCaller, request));
  EXPECT_NE(retried.name(), first.name());
  EXPECT_EQ(retried.spec().labels().at("team"), "nlp");
  EXPECT_EQ(rig.jobs->Retry(kCaller, request)->name(), retried.name()) << "the same request";
  rig.RunAll(worker);
  ASSERT_OK_AND_ASSIGN(const v1::Job done, rig.jobs->Get(kCaller, retried.name()));
  EXPECT_EQ(done.state(), v1::Job::SUCCEEDED);
  int cached = 0;
  for (const v1::Stage& stage : done.stages()) cached += stage.cached();
  EXPECT_EQ(cached, ran) << "what the first one finished is not done again";
  request.set_name(done.name());
  request.clear_request_id();
  EXPECT_THAT(rig.jobs->Retry(kCaller, request), HasReason("JOB_NOT_RETRYABLE"));
  request.set_name("jobs/none");
  EXPECT_THAT(rig.jobs->Retry(kCaller, request), HasReason("JOB_NOT_FOUND"));
}

TEST(Jobs, AnInlineRecipeWithAShippedNameIsTold) {
  Rig rig;
  v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  ASSERT_OK_AND_ASSIGN(const v1::Recipe shipped, rig.recipes->Get("recipes/mixed-gptq"));
  EXPECT_EQ(shipped.name(), "recipes/mixed-gptq");
  *spec.mutable_inline_recipe() = shipped;
  EXPECT_EQ(Create(rig, spec)->spec().recipe(), "recipes/mixed-gptq");
  spec.mutable_inline_recipe()->mutable_rounding()->set_damping(0.5);
  EXPECT_EQ(Create(rig, spec)->spec().inline_recipe().name(), "mixed-gptq-edited");
}

TEST(Jobs, FinishedJobsCanBeDeletedAndNotCancelled) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  EXPECT_THAT(rig.jobs->Delete(kCaller, job.name()), HasReason("JOB_UNFINISHED"));
  EXPECT_THAT(rig.jobs->Report(kCaller, job.name(), 0), HasReason("JOB_UNFINISHED"));
  rig.RunAll(rig.AddWorker());
  EXPECT_THAT(rig.jobs->Cancel(kCaller, job.name()), HasReason("JOB_FINISHED"));
  BITWRIGHT_EXPECT_OK(rig.jobs->Report(kCaller, job.name(), 0));
  BITWRIGHT_EXPECT_OK(rig.jobs->Delete(kCaller, job.name()));
  EXPECT_THAT(rig.jobs->Get(kCaller, job.name()), HasReason("JOB_NOT_FOUND"));
  EXPECT_THAT(rig.jobs->Cancel(kCaller, job.name()), HasReason("JOB_NOT_FOUND"));
  EXPECT_THAT(rig.jobs->Delete(kCaller, job.name()), HasReason("JOB_NOT_FOUND"));
}

TEST(Jobs, OutliveTheirModel) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  rig.RunAll(rig.AddWorker());
  BITWRIGHT_ASSERT_OK(rig.models->Delete(kCaller, job.spec().model()));
  rig.clock.Advance(7200);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  ASSERT_OK_AND_ASSIGN(const v1::Job done, rig.jobs->Get(kCaller, job.name()));
  BITWRIGHT_EXPECT_OK(rig.jobs->Report(kCaller, job.name(), 0));
  EXPECT_TRUE(*rig.held->Has({}, *FromProto(done.artifact().files(0).digest())));
}

}  // namespace
}  // namespace bitwright::server
