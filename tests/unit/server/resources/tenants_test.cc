#include "server/resources/tenants.h"

#include <gmock/gmock.h>

#include "proto/base/errors.h"
#include "proto/contract/names.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

// The refusal of another tenant's name is that of a name that does not exist, but for the name.
void ExpectAsUnknown(const absl::Status& others, const std::string& name, const absl::Status& unknown,
                     const std::string& none) {
  ASSERT_TRUE(absl::IsNotFound(others)) << others.ToString();
  std::string text(others.message());
  const size_t at = text.find(name);
  ASSERT_NE(at, std::string::npos) << text;
  text.replace(at, name.size(), none);
  EXPECT_EQ(text, unknown.message());
  EXPECT_EQ(ErrorReason(others), ErrorReason(unknown));
}

TEST(Tenants, ModelsOfOthersAreNotThere) {
  Rig rig;
  const std::string model = rig.ReadyModel().name();
  const auto refused = [&](const absl::Status& others, const absl::Status& unknown) {
    ExpectAsUnknown(others, model, unknown, "models/none");
  };
  refused(rig.models->Get(kStranger, model).status(), rig.models->Get(kStranger, "models/none").status());
  refused(rig.models->Delete(kStranger, model), rig.models->Delete(kStranger, "models/none"));
  EXPECT_EQ(rig.models->List(kStranger, {})->models_size(), 0);
  v1::ListModelsRequest by_name;
  by_name.set_filter("name = \"models/*\"");
  EXPECT_EQ(rig.models->List(kStranger, by_name)->models_size(), 0);
  EXPECT_EQ(rig.models->List(kCaller, by_name)->models_size(), 1);
  v1::CreateJobRequest job;
  *job.mutable_spec() = rig.Spec(model, 4.25, kStranger);
  const auto create = [&](const std::string& name) {
    job.mutable_spec()->set_model(name);
    return rig.jobs->Create(kStranger, job).status();
  };
  refused(create(model), create("models/none"));
  job.set_validate_only(true);
  refused(create(model), create("models/none"));
  BITWRIGHT_EXPECT_OK(rig.models->Get(kCaller, model)) << "it is still there";
}

TEST(Tenants, JobsOfOthersAreNotThere) {
  Rig rig;
  const v1::Job done = rig.QueuedJob();
  rig.RunAll(rig.AddWorker());
  v1::JobSpec another = rig.Spec(done.spec().model());
  *another.mutable_calibration(0)->mutable_blob() = ToProto(rig.Put("another text"));
  *another.mutable_evaluation(0)->mutable_blob() = ToProto(rig.Put("yet another text"));
  const v1::Job queued = rig.CreateJob(another);
  v1::RetryJobRequest retry;
  const auto retried = [&](const std::string& name) {
    retry.set_name(name);
    return rig.jobs->Retry(kStranger, retry).status();
  };
  for (const std::string& job : {done.name(), queued.name()}) {
    const auto refused = [&](const absl::Status& others, const absl::Status& unknown) {
      ExpectAsUnknown(others, job, unknown, "jobs/none");
    };
    refused(rig.jobs->Get(kStranger, job).status(), rig.jobs->Get(kStranger, "jobs/none").status());
    refused(rig.jobs->Report(kStranger, job, 0).status(), rig.jobs->Report(kStranger, "jobs/none", 0).status());
    refused(rig.jobs->Cancel(kStranger, job).status(), rig.jobs->Cancel(kStranger, "jobs/none").status());
    refused(rig.jobs->Delete(kStranger, job), rig.jobs->Delete(kStranger, "jobs/none"));
    refused(retried(job), retried("jobs/none"));
  }
  EXPECT_EQ(rig.jobs->List(kStranger, {})->jobs_size(), 0);
  v1::ListJobsRequest by_state;
  by_state.set_state(v1::Job::QUEUED);
  EXPECT_EQ(rig.jobs->List(kStranger, by_state)->jobs_size(), 0);
  EXPECT_EQ(rig.jobs->List(kCaller, by_state)->jobs_size(), 1);
  EXPECT_EQ(rig.jobs->Get(kCaller, queued.name())->state(), v1::Job::QUEUED) << "nobody cancelled it";
}

TEST(Tenants, TheSameFilesAreAModelOfEachTenant) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files("same");
  request.set_request_id("r");
  ASSERT_OK_AND_ASSIGN(const v1::Model own, rig.models->Create(kCaller, request));
  EXPECT_THAT(rig.models->Create(kStranger, request), HasReason("BLOB_MISSING")) << "it has brought none of them";
  rig.Files("same", kStranger);
  ASSERT_OK_AND_ASSIGN(const v1::Model theirs, rig.models->Create(kStranger, request));
  EXPECT_NE(theirs.name(), own.name()) << "neither content nor request ids are shared";
  EXPECT_EQ(rig.models->Create(kCaller, request)->name(), own.name());
  EXPECT_EQ(rig.models->Create(kStranger, request)->name(), theirs.name());
  request.clear_request_id();
  EXPECT_EQ(rig.models->Create(kStranger, request)->name(), theirs.name()) << "the same content of one tenant";
}

TEST(Tenants, AJobNeedsTextsOfItsOwnTenant) {
  Rig rig;
  const std::string model = rig.ReadyModel("a", kStranger).name();
  v1::CreateJobRequest request;
  *request.mutable_spec() = rig.Spec(model, 4.25, kCaller);  // the texts are the caller's
  EXPECT_THAT(rig.jobs->Create(kStranger, request), HasReason("BLOB_MISSING"));
  request.set_validate_only(true);
  EXPECT_THAT(rig.jobs->Create(kStranger, request), HasReason("BLOB_MISSING"));
  request.set_validate_only(false);
  request.set_request_id("r");
  rig.Spec(model, 4.25, kStranger);
  ASSERT_OK_AND_ASSIGN(const v1::Job job, rig.jobs->Create(kStranger, request));
  EXPECT_EQ(rig.jobs->Create(kStranger, request)->name(), job.name());
  EXPECT_THAT(rig.jobs->Create(kCaller, request), HasReason("MODEL_NOT_FOUND")) << "its request id is another";
}

TEST(Tenants, PageTokensOfOthersAreRefused) {
  Rig rig;
  for (const char* seed : {"a", "b"}) {
    rig.ReadyModel(seed);
    rig.ReadyModel(seed, kStranger);
  }
  v1::ListModelsRequest models;
  models.set_page_size(1);
  models.set_page_token(rig.models->List(kCaller, models)->next_page_token());
  ASSERT_FALSE(models.page_token().empty());
  BITWRIGHT_EXPECT_OK(rig.models->List(kCaller, models));
  EXPECT_THAT(rig.models->List(kStranger, models), HasReason("PAGE_TOKEN_INVALID"));
  const std::string model = rig.models->List(kCaller, {})->models(0).name();
  rig.CreateJob(rig.Spec(model));
  rig.CreateJob(rig.Spec(model, 3.5));
  v1::ListJobsRequest jobs;
  jobs.set_page_size(1);
  jobs.set_page_token(rig.jobs->List(kCaller, jobs)->next_page_token());
  ASSERT_FALSE(jobs.page_token().empty());
  BITWRIGHT_EXPECT_OK(rig.jobs->List(kCaller, jobs));
  EXPECT_THAT(rig.jobs->List(kStranger, jobs), HasReason("PAGE_TOKEN_INVALID"));
}

TEST(Tenants, ABlobOfTwoTenantsOutlivesTheDeletionByOne) {
  Rig rig;
  rig.collector_options.cache_bytes = 0;
  rig.Restart();
  const v1::Model own = rig.ReadyModel("same");
  const v1::Model theirs = rig.ReadyModel("same", kStranger);
  const BlobDigest file = *FromProto(own.manifest().files(0).digest());
  BITWRIGHT_ASSERT_OK(rig.models->Delete(kCaller, own.name()));
  EXPECT_TRUE(*rig.held->Has({.tenant = kDefaultTenant}, file)) << "used within the grace";
  rig.clock.Advance(7200);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_FALSE(*rig.held->Has({.tenant = kDefaultTenant}, file));
  EXPECT_TRUE(*rig.held->Has({.tenant = kStranger.tenant()}, file));
  EXPECT_EQ(rig.tenants->Get(kCaller, kDefaultTenant)->usage.bytes, 0);
  BITWRIGHT_ASSERT_OK(rig.models->Delete(kStranger, theirs.name()));
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_FALSE(*rig.held->Has({}, file));
  EXPECT_FALSE(rig.blobs->Has(file)) << "the last one gone, the bytes go";
}

TEST(Tenants, AUseKeepsATenantsBlobAndNoOthers) {
  Rig rig;
  const BlobDigest blob = rig.Put("x");
  rig.Put("x", kStranger);
  rig.clock.Advance(3000);
  EXPECT_TRUE(rig.held->FindMissing({.tenant = kDefaultTenant}, {blob}, rig.clock.Now())->empty());
  rig.clock.Advance(3000);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_TRUE(*rig.held->Has({.tenant = kDefaultTenant}, blob));
  EXPECT_FALSE(*rig.held->Has({.tenant = kStranger.tenant()}, blob));
}

TEST(Tenants, WhatAJobMadeIsItsTenantsUntilItIsDeleted) {
  Rig rig;
  const v1::Model model = rig.ReadyModel("a", kStranger);
  const v1::Job job = rig.CreateJob(rig.Spec(model.name(), 4.25, kStranger), kStranger);
  rig.RunAll(rig.AddWorker());
  ASSERT_OK_AND_ASSIGN(const v1::Job done, rig.jobs->Get(kStranger, job.name()));
  const BlobDigest artifact = *FromProto(done.artifact().files(0).digest());
  const auto reads = [&](const CallContext& call) {
    return rig.held->Open({.tenant = call.tenant(), .reads_all = false}, artifact).status();
  };
  BITWRIGHT_EXPECT_OK(reads(kStranger));
  EXPECT_THAT(reads(kCaller), HasReason("BLOB_NOT_FOUND"));
  BITWRIGHT_EXPECT_OK(rig.jobs->Report(kStranger, job.name(), 0));
  BITWRIGHT_ASSERT_OK(rig.jobs->Delete(kStranger, job.name()));
  EXPECT_THAT(reads(kStranger), HasReason("BLOB_NOT_FOUND"));
}

TEST(Tenants, UsageFollowsWhatIsThere) {
  Rig rig;
  const auto usage = [&](const std::string& tenant) { return rig.tenants->Get(kCaller, tenant)->usage; };
  EXPECT_EQ(usage("strangers"), TenantUsage());
  rig.Put("12345", kStranger);
  EXPECT_EQ(usage("strangers").bytes, 5);
  const v1::Model model = rig.ReadyModel("a", kStranger);
  const v1::Job job = rig.CreateJob(rig.Spec(model.name(), 4.25, kStranger), kStranger);
  EXPECT_EQ(usage("strangers").queued_jobs, 1);
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  EXPECT_EQ(usage("strangers").queued_jobs, 0);
  EXPECT_EQ(usage("strangers").running_jobs, 1);
  BITWRIGHT_ASSERT_OK(rig.Complete(worker, lease));
  rig.RunAll(worker);
  EXPECT_EQ(usage("strangers").running_jobs, 0);
  EXPECT_EQ(usage(kDefaultTenant), TenantUsage()) << "nothing of it is another's";
}

TEST(Tenants, AreListedByNameInPages) {
  Rig rig;
  rig.Put("x");
  rig.Put("y", kStranger);
  BITWRIGHT_ASSERT_OK(rig.tenants->SetLimits(kCaller, "a.new-one_1", {.queued_jobs = 7}));
  ASSERT_OK_AND_ASSIGN(const TenantPage first, rig.tenants->List(kCaller, 2, ""));
  ASSERT_EQ(first.tenants.size(), 2u);
  EXPECT_EQ(first.tenants[0].name, "a.new-one_1");
  EXPECT_TRUE(first.tenants[0].own_limits);
  EXPECT_EQ(first.tenants[0].limits, TenantLimits{.queued_jobs = 7});
  EXPECT_EQ(first.tenants[1].name, "default");
  EXPECT_FALSE(first.tenants[1].own_limits);
  ASSERT_OK_AND_ASSIGN(const TenantPage last, rig.tenants->List(kCaller, 2, first.next_page_token));
  ASSERT_EQ(last.tenants.size(), 1u);
  EXPECT_EQ(last.tenants[0].name, "strangers");
  EXPECT_EQ(last.tenants[0].usage.bytes, 1);
  EXPECT_EQ(last.next_page_token, "");
  EXPECT_THAT(rig.tenants->List(kCaller, 2, "x").status(), HasReason("PAGE_TOKEN_INVALID"));
  EXPECT_THAT(rig.tenants->List(kCaller, -1, "").status(), HasReason("PAGE_SIZE_INVALID"));
}

TEST(Tenants, LimitsAreCheckedAndSurviveARestart) {
  Rig rig;
  rig.tenant_limits = {.bytes = 10, .queued_jobs = 20, .running_jobs = 30};
  rig.Restart();
  EXPECT_EQ(rig.tenants->Get(kCaller, "t")->limits, rig.tenant_limits);
  const TenantLimits limits{.bytes = 1, .queued_jobs = 0, .running_jobs = 3};
  ASSERT_OK_AND_ASSIGN(const Tenant set, rig.tenants->SetLimits(kCaller, "t", limits));
  EXPECT_EQ(set.limits, limits);
  rig.Restart();
  EXPECT_EQ(rig.tenants->Get(kCaller, "t")->limits, limits) << "0 is no limit, not the default";
  EXPECT_THAT(rig.tenants->SetLimits(kCaller, "t", {.bytes = -1}).status(), HasReason("TENANT_LIMIT_INVALID"));
  EXPECT_THAT(rig.tenants->SetLimits(kCaller, "T", {}).status(), HasReason("TENANT_INVALID"));
  EXPECT_THAT(rig.tenants->Get(kCaller, "").status(), HasReason("TENANT_INVALID"));
  EXPECT_THAT(rig.tenants->Get(kCaller, std::string(64, 'a')).status(), HasReason("TENANT_INVALID"));
}

TEST(Tenants, NoMoreJobsAreQueuedThanTheTenantMayHave) {
  Rig rig;
  const std::string model = rig.ReadyModel().name();
  BITWRIGHT_ASSERT_OK(rig.tenants->SetLimits(kCaller, kDefaultTenant, {.queued_jobs = 2}));
  const auto create = [&](double bits, const std::string& request_id = "") {
    v1::CreateJobRequest request;
    *request.mutable_spec() = rig.Spec(model, bits);
    request.set_request_id(request_id);
    return rig.jobs->Create(kCaller, request);
  };
  ASSERT_OK_AND_ASSIGN(const v1::Job first, create(4.25, "r"));
  BITWRIGHT_ASSERT_OK(create(4.26));
  const absl::Status refused = create(4.27).status();
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_THAT(refused, HasReason("QUOTA_EXCEEDED"));
  const auto metadata = GetErrorDetail(refused)->metadata;
  EXPECT_EQ(metadata.at("tenant") + " " + metadata.at("quota"), "default queued_jobs");
  EXPECT_EQ(metadata.at("limit") + " " + metadata.at("used"), "2 2");
  EXPECT_THAT(rig.metrics->Text(), ::testing::HasSubstr("bitwright_quota_refusals_total{quota=\"queued_jobs\"} 1"));
  EXPECT_EQ(create(4.25, "r")->name(), first.name()) << "it is there already";
  rig.Lease(rig.AddWorker());
  BITWRIGHT_EXPECT_OK(create(4.27)) << "one has begun";
  EXPECT_THAT(create(4.28), HasReason("QUOTA_EXCEEDED"));
  rig.ReadyModel("b", kStranger);
  BITWRIGHT_EXPECT_OK(rig.jobs->List(kStranger, {})) << "others have limits of their own";
}

TEST(Tenants, TwoUploadsThatFitOneByOneDoNotFitTogether) {
  Rig rig;
  BITWRIGHT_ASSERT_OK(rig.tenants->SetLimits(kCaller, kStranger.tenant(), {.bytes = 10}));
  const BlobUser user{.tenant = kStranger.tenant(), .reads_all = false, .has_quota = true};
  BITWRIGHT_EXPECT_OK(rig.held->CheckQuota(user, 10));
  EXPECT_THAT(rig.held->CheckQuota(user, 11), HasReason("QUOTA_EXCEEDED"));
  const auto begin = [&](const std::string& bytes) {
    auto upload = *rig.blobs->StartUpload({"u", DigestOf(bytes)}, user.tenant);
    EXPECT_THAT(upload->AppendCopied(bytes), IsOk());
    return upload;
  };
  const auto one = begin("111111");
  const auto two = begin("222222");
  BITWRIGHT_EXPECT_OK(rig.held->Publish(user, *one, DigestOf("111111"), rig.clock.Now()));
  EXPECT_THAT(rig.held->Publish(user, *two, DigestOf("222222"), rig.clock.Now()), HasReason("QUOTA_EXCEEDED"));
  EXPECT_FALSE(rig.blobs->Has(DigestOf("222222")));
  EXPECT_FALSE(*rig.held->Has(user, DigestOf("222222")));
  EXPECT_EQ(rig.tenants->Get(kCaller, kStranger.tenant())->usage.bytes, 6);
}

TEST(Tenants, WhoHoldsTooMuchMakesNeitherModelsNorJobs) {
  Rig rig;
  const std::string model = rig.ReadyModel().name();
  const v1::JobSpec spec = rig.Spec(model);
  v1::CreateModelRequest more;
  *more.mutable_manifest() = rig.Files("more");
  v1::CreateModelRequest same;
  *same.mutable_manifest() = rig.Files();
  BITWRIGHT_ASSERT_OK(rig.tenants->SetLimits(kCaller, kDefaultTenant, {.bytes = 10}));
  v1::CreateJobRequest request;
  *request.mutable_spec() = spec;
  EXPECT_THAT(rig.jobs->Create(kCaller, request), HasReason("QUOTA_EXCEEDED"));
  EXPECT_THAT(rig.models->Create(kCaller, more), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(rig.models->Create(kCaller, same)->name(), model) << "it is there already";
  BITWRIGHT_ASSERT_OK(rig.tenants->SetLimits(kCaller, kDefaultTenant, {}));
  BITWRIGHT_EXPECT_OK(rig.jobs->Create(kCaller, request));
}

}  // namespace
}  // namespace bitwright::server
