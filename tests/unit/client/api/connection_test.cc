#include "client/api/connection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake/fake_service.h"
#include "tests/unit/proto/transfer/test_clock.h"

namespace bitwright::client {
namespace {

TEST(Connection, ErrorsKeepTheirReason) {
  FakeService service;
  ASSERT_OK_AND_ASSIGN(const auto connection, Connect({.address = service.address()}));
  v1::GetJobRequest request;
  request.set_name("jobs/none");
  const auto job = connection->GetJob(request);
  EXPECT_THAT(job, HasReason("JOB_NOT_FOUND"));
  EXPECT_THAT(job, StatusIs(absl::StatusCode::kNotFound));
}

TEST(Connection, UnavailableCallsAreRepeated) {
  FakeService service;
  TestClock clock;
  ASSERT_OK_AND_ASSIGN(const auto connection, Connect({.address = service.address(), .clock = &clock}));
  ASSERT_THAT(connection->CreateJob({}), IsOk());
  service.plan.unavailable_calls = 3;
  v1::GetJobRequest request;
  request.set_name("jobs/j1");
  EXPECT_THAT(connection->GetJob(request), IsOk());
  EXPECT_EQ(clock.sleeps().size(), 3u);
}

TEST(Connection, NobodyThereIsSaidSoonAndNamesTheAddress) {
  TestClock clock;
  ASSERT_OK_AND_ASSIGN(const auto connection, Connect({.address = "unix:/nowhere/socket", .clock = &clock}));
  const auto recipes = connection->ListRecipes({});
  EXPECT_THAT(recipes, HasReason("SERVER_UNREACHABLE"));
  EXPECT_NE(recipes.status().message().find("unix:/nowhere/socket"), absl::string_view::npos);
  EXPECT_LE(clock.slept(), absl::Seconds(5));
}

TEST(Connection, HealthIsAsked) {
  FakeService service;
  EXPECT_THAT((*Connect({.address = service.address()}))->WaitUntilServing(absl::Seconds(10)), IsOk());
  TestClock clock;
  EXPECT_THAT((*Connect({.address = "unix:/nowhere/socket", .clock = &clock}))->WaitUntilServing(absl::Seconds(1)),
              HasReason("SERVER_UNREACHABLE"));
}

// Calls `with` once for every string field below `at`, while that field alone holds bytes that are not UTF-8.
int BreakEachText(google::protobuf::Message& at, const std::function<void(const std::string& field)>& with,
                  const std::string& prefix = "") {
  using google::protobuf::FieldDescriptor;
  const std::string broken = "a\xff";
  const auto& reflection = *at.GetReflection();
  int broken_fields = 0;
  for (int i = 0; i < at.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = at.GetDescriptor()->field(i);
    const std::string name = prefix + field->name() + (field->is_repeated() ? "[0]" : "");
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      if (field->is_repeated()) {
        reflection.AddString(&at, field, broken);
      } else {
        reflection.SetString(&at, field, broken);
      }
      with(name);
      ++broken_fields;
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      auto* child = field->is_repeated() ? reflection.AddMessage(&at, field) : reflection.MutableMessage(&at, field);
      broken_fields += BreakEachText(*child, with, name + ".");
    }
    reflection.ClearField(&at, field);
  }
  return broken_fields;
}

// Broken bytes in every string field of every request: nothing is sent, and the field is named.
TEST(Connection, TextThatIsNotUtf8IsRefusedBeforeItIsSent) {
  FakeService service;
  ASSERT_OK_AND_ASSIGN(const auto connection, Connect({.address = service.address()}));
  int fields = 0;
  const auto each =
      [&]<typename Request, typename Response>(absl::StatusOr<Response> (Connection::*method)(const Request&)) {
        Request request;
        fields += BreakEachText(request, [&](const std::string& field) {
          const auto result = ((*connection).*method)(request);
          EXPECT_THAT(result, HasReason("TEXT_INVALID")) << request.GetTypeName() << " " << field;
          EXPECT_NE(result.status().message().find("'" + field + "'"), absl::string_view::npos) << result.status();
        });
      };
  each(&Connection::CreateModel);
  each(&Connection::GetModel);
  each(&Connection::ListModels);
  each(&Connection::DeleteModel);
  each(&Connection::CreateJob);
  each(&Connection::GetJob);
  each(&Connection::ListJobs);
  each(&Connection::RetryJob);
  each(&Connection::CancelJob);
  each(&Connection::DeleteJob);
  each(&Connection::GetReport);
  each(&Connection::ListRecipes);
  each(&Connection::GetRecipe);
  each(&Connection::ListTasks);
  each(&Connection::ListWorkers);
  each(&Connection::CordonWorker);
  each(&Connection::UncordonWorker);
  each(&Connection::DrainWorker);
  each(&Connection::RequeueTask);
  each(&Connection::GetCacheEntry);
  each(&Connection::DeleteCacheEntry);
  each(&Connection::GetTenant);
  each(&Connection::ListTenants);
  each(&Connection::UpdateTenantLimits);
  each(&Connection::GetCapabilities);
  EXPECT_THAT(connection->WatchJob("jobs/\xff", nullptr), HasReason("TEXT_INVALID"));
  EXPECT_THAT(connection->WatchModel("models/\xff", nullptr), HasReason("TEXT_INVALID"));
  EXPECT_TRUE(service.seen.operated.empty());
  EXPECT_GE(fields, 30);
  EXPECT_EQ(service.seen.create_models + service.seen.create_jobs, 0);
}

TEST(Connection, ABrokenWatchOfAModelGoesOn) {
  FakeService service;
  TestClock clock;
  ASSERT_OK_AND_ASSIGN(const auto connection, Connect({.address = service.address(), .clock = &clock}));
  v1::CreateModelRequest request;
  request.set_display_name("m");
  ASSERT_OK_AND_ASSIGN(const v1::Model model, connection->CreateModel(request));
  service.plan.inspections = 3;
  service.plan.break_watches = 1;
  std::vector<v1::Model::State> states;
  ASSERT_OK_AND_ASSIGN(const v1::Model ready, connection->WatchModel(model.name(), [&](const v1::Model& now) {
    states.push_back(now.state());
  }));
  EXPECT_EQ(ready.state(), v1::Model::READY);
  using State = v1::Model::State;
  EXPECT_EQ(states, (std::vector<State>{v1::Model::INSPECTING, v1::Model::INSPECTING, v1::Model::INSPECTING,
                                        v1::Model::READY}));
}

// By then another worker could have it.
TEST(Connection, ARequeueIsNotRepeated) {
  FakeService service;
  TestClock clock;
  ASSERT_OK_AND_ASSIGN(const auto connection, Connect({.address = service.address(), .clock = &clock}));
  service.plan.unavailable_calls = 1;
  v1::RequeueTaskRequest request;
  request.set_name("tasks/t");
  EXPECT_FALSE(connection->RequeueTask(request).ok());
  EXPECT_EQ(service.seen.operated.size(), 1u);
}

TEST(Connection, CancelledTokenStopsEveryCall) {
  FakeService service;
  const auto cancel = std::make_shared<CancelToken>();
  ASSERT_OK_AND_ASSIGN(const auto connection, Connect({.address = service.address(), .cancel = cancel}));
  cancel->Cancel();
  EXPECT_THAT(connection->ListRecipes({}), HasReason("INTERRUPTED"));
  EXPECT_THAT(connection->WatchJob("jobs/j1", nullptr), HasReason("INTERRUPTED"));
}

}  // namespace
}  // namespace bitwright::client
