#include "client/api/connection.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake/fake_service.h"
#include "tests/unit/proto/transfer/test_clock.h"

namespace bitwright::client {
namespace {

TEST(Connection, ErrorsKeepTheirReason) {
  FakeService service;
  const auto connection = Connect({.address = service.address()});
  v1::GetJobRequest request;
  request.set_name("jobs/none");
  const auto job = connection->GetJob(request);
  EXPECT_THAT(job, HasReason("JOB_NOT_FOUND"));
  EXPECT_THAT(job, StatusIs(absl::StatusCode::kNotFound));
}

TEST(Connection, UnavailableCallsAreRepeated) {
  FakeService service;
  TestClock clock;
  const auto connection = Connect({.address = service.address(), .clock = &clock});
  ASSERT_THAT(connection->CreateJob({}), IsOk());
  service.plan.unavailable_calls = 3;
  v1::GetJobRequest request;
  request.set_name("jobs/j1");
  EXPECT_THAT(connection->GetJob(request), IsOk());
  EXPECT_EQ(clock.sleeps().size(), 3u);
}

TEST(Connection, NobodyThereIsSaidSoonAndNamesTheAddress) {
  TestClock clock;
  const auto connection = Connect({.address = "unix:/nowhere/socket", .clock = &clock});
  const auto recipes = connection->ListRecipes({});
  EXPECT_THAT(recipes, HasReason("SERVER_UNREACHABLE"));
  EXPECT_NE(recipes.status().message().find("unix:/nowhere/socket"), absl::string_view::npos);
  EXPECT_LE(clock.slept(), absl::Seconds(5));
}

TEST(Connection, HealthIsAsked) {
  FakeService service;
  EXPECT_THAT(Connect({.address = service.address()})->WaitUntilServing(absl::Seconds(10)), IsOk());
  TestClock clock;
  EXPECT_THAT(Connect({.address = "unix:/nowhere/socket", .clock = &clock})->WaitUntilServing(absl::Seconds(1)),
              HasReason("SERVER_UNREACHABLE"));
}

// Broken bytes in every string field: nothing is sent, and the field is named.
TEST(Connection, TextThatIsNotUtf8IsRefusedBeforeItIsSent) {
  FakeService service;
  const auto connection = Connect({.address = service.address()});
  const std::string broken = "a\xff";
  const auto expect = [](const auto& result, const std::string& field) {
    EXPECT_THAT(result, HasReason("TEXT_INVALID")) << field;
    EXPECT_NE(StatusOf(result).message().find("'" + field + "'"), absl::string_view::npos) << StatusOf(result);
  };
  v1::CreateModelRequest model;
  model.set_display_name(broken);
  expect(connection->CreateModel(model), "display_name");
  model.set_display_name("a");
  model.mutable_manifest()->add_files()->set_path(broken);
  expect(connection->CreateModel(model), "manifest.files[0].path");
  v1::CreateJobRequest job;
  job.mutable_spec()->set_display_name(broken);
  expect(connection->CreateJob(job), "spec.display_name");
  job.mutable_spec()->set_display_name("a");
  job.mutable_spec()->mutable_calibration()->set_display_name(broken);
  expect(connection->CreateJob(job), "spec.calibration.display_name");
  job.mutable_spec()->clear_calibration();
  job.mutable_spec()->mutable_inline_recipe()->set_description(broken);
  expect(connection->CreateJob(job), "spec.inline_recipe.description");
  v1::ListJobsRequest list;
  list.set_filter(broken);
  expect(connection->ListJobs(list), "filter");
  v1::RetryJobRequest retry;
  retry.set_name(broken);
  expect(connection->RetryJob(retry), "name");
  expect(connection->WatchJob(broken, nullptr), "name");
  EXPECT_EQ(service.seen.create_models, 0);
  EXPECT_EQ(service.seen.create_jobs, 0);
}

TEST(Connection, CancelledTokenStopsEveryCall) {
  FakeService service;
  const auto cancel = std::make_shared<CancelToken>();
  const auto connection = Connect({.address = service.address(), .cancel = cancel});
  cancel->Cancel();
  EXPECT_THAT(connection->ListRecipes({}), HasReason("INTERRUPTED"));
  EXPECT_THAT(connection->WatchJob("jobs/j1", nullptr), HasReason("INTERRUPTED"));
}

}  // namespace
}  // namespace bitwright::client
