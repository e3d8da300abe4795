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
