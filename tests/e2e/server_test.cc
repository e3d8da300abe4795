// A real server in this process, spoken to by the client library; workers are played by the test.
#include "server/app/server.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "absl/synchronization/notification.h"
#include "bitwright/v1/capabilities.pb.h"
#include "client/api/client.h"
#include "client/api/client_errors.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "proto/base/errors.h"
#include "proto/base/files.h"
#include "proto/contract/names.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/raw_calls.h"

namespace bitwright::server {
namespace {

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options_.data_dir = dir_ / "data";
    options_.listen = "127.0.0.1:0";
    options_.metrics_listen = "off";
    options_.workers = 0;
    options_.lease_ttl_seconds = 0.5;
    options_.lease_grace_seconds = 0.2;
    Start();
  }

  void Start() {
    client_.reset();
    raw_.reset();
    server_.reset();
    auto server = Server::Start(options_, clock_);
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    client_ = Connect();
    raw_ = std::make_unique<RawCalls>(server_->address());
  }

  // What fails is not tried again: the tests look at each failure.
  std::unique_ptr<client::Connection> Connect(std::shared_ptr<CancelToken> cancel = nullptr) {
    RetryPolicy once = kClientRetries;
    once.give_up = absl::ZeroDuration();
    return *client::Connect({.address = server_->address(), .retry = once, .cancel = std::move(cancel)});
  }

  absl::StatusOr<v1::Model> CreateModel() {
    v1::CreateModelRequest request;
    request.set_display_name("small");
    for (const char* path : {"config.json", "model.safetensors", "tokenizer.json"}) {
      v1::FileEntry* file = request.mutable_manifest()->add_files();
      file->set_path(path);
      *file->mutable_digest() = ToProto(raw_->Put(path));
    }
    return client_->CreateModel(request);
  }

  v1::JobSpec Spec(const std::string& model, const v1::Digest& text) {
    v1::JobSpec spec;
    spec.set_model(model);
    spec.set_recipe("recipes/mixed-gptq");
    spec.mutable_budget()->set_average_bits(4.25);
    for (v1::Data* data : {spec.add_calibration(), spec.add_evaluation()}) {
      data->set_kind(v1::Data::TEXT);
      *data->mutable_blob() = text;
    }
    return spec;
  }

  absl::StatusOr<v1::Job> CreateJob(const std::string& model) {
    v1::CreateJobRequest request;
    *request.mutable_spec() = Spec(model, ToProto(raw_->Put("text")));
    return client_->CreateJob(request);
  }

  absl::StatusOr<v1::Job> GetJob(const std::string& name) {
    v1::GetJobRequest request;
    request.set_name(name);
    return client_->GetJob(request);
  }

  // Runs what there is; returns the number of tasks.
  int RunTasks(int limit = 1000) { return raw_->RunTasks(limit); }

  std::string QueuedJob() {
    const auto model = CreateModel();
    EXPECT_THAT(model, IsOk());
    RunTasks(1);
    const auto job = CreateJob(model->name());
    EXPECT_THAT(job, IsOk());
    return job->name();
  }

  // The watched messages and the status at the end.
  struct Watched {
    std::vector<v1::Job> jobs;
    absl::Status status;
  };
  Watched Watch(const std::string& name, const std::function<void(const v1::Job&)>& on_message = nullptr) {
    Watched watched;
    watched.status = client_
                         ->WatchJob(name,
                                    [&](const v1::Job& job) {
                                      watched.jobs.push_back(job);
                                      if (on_message) on_message(job);
                                    })
                         .status();
    return watched;
  }

  TempDir dir_;
  Options options_;
  SystemClock clock_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<client::Connection> client_;
  std::unique_ptr<RawCalls> raw_;
};

TEST_F(ServerTest, AJobRunsAndIsWatched) {
  const std::string name = QueuedJob();
  std::thread worker;
  const Watched watched = Watch(name, [&](const v1::Job&) {
    if (!worker.joinable()) worker = std::thread([&] { RunTasks(); });
  });
  worker.join();
  BITWRIGHT_EXPECT_OK(watched.status);
  ASSERT_GE(watched.jobs.size(), 2u);
  EXPECT_EQ(watched.jobs.front().state(), v1::Job::QUEUED);
  EXPECT_EQ(watched.jobs.back().state(), v1::Job::SUCCEEDED);
  for (size_t i = 1; i < watched.jobs.size(); ++i) {
    EXPECT_GT(watched.jobs[i].revision(), watched.jobs[i - 1].revision());
  }
  ASSERT_OK_AND_ASSIGN(const BlobDigest digest, FromProto(watched.jobs.back().artifact().files(0).digest()));
  BITWRIGHT_EXPECT_OK(raw_->Read(ReadName(digest)));
  v1::GetReportRequest request;
  request.set_name(name);
  ASSERT_OK_AND_ASSIGN(const auto report, client_->GetReport(request));
  EXPECT_EQ(report.schema_version(), 1);
  const Watched again = Watch(name);
  EXPECT_EQ(again.jobs.size(), 1u) << "a finished job is said once";
  BITWRIGHT_EXPECT_OK(again.status);
}

// The client library from a folder to a loaded artifact, in one process with the server.
TEST_F(ServerTest, TheLibraryGoesTheWholeWay) {
  const std::string folder = dir_ / "model";
  std::filesystem::create_directory(folder);
  for (const char* file : {"config.json", "model.safetensors", "tokenizer.json"}) {
    BITWRIGHT_ASSERT_OK(WriteWholeFile(folder + "/" + file, "{}", client::FileUnwritableError));
  }
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir_ / "text.txt", "a text", client::FileUnwritableError));
  ASSERT_OK_AND_ASSIGN(client::Client library, client::Client::ConnectTo({.address = server_->address()}));
  BITWRIGHT_ASSERT_OK(library.WaitUntilServing(absl::Seconds(10)));
  std::thread inspection([&] {
    const std::string worker = raw_->Register();
    const auto lease = raw_->Lease(worker, 15);
    ASSERT_TRUE(lease.has_value());
    EXPECT_THAT(raw_->Complete(worker, *lease), IsOk());
  });
  const auto model = library.UploadModel(folder, "small");
  inspection.join();
  BITWRIGHT_ASSERT_OK(model);
  ASSERT_OK_AND_ASSIGN(const BlobDigest text, library.UploadFile(dir_ / "text.txt"));
  ASSERT_OK_AND_ASSIGN(const v1::Job job, library.CreateJob(Spec(model->name(), ToProto(text))));
  RunTasks();
  ASSERT_OK_AND_ASSIGN(const v1::Job done, library.WatchJob(job.name(), nullptr));
  EXPECT_EQ(done.state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(library.GetReport(job.name())->schema_version(), 1);
  BITWRIGHT_ASSERT_OK(library.DownloadArtifact(done.artifact(), dir_ / "out"));
  for (const v1::FileEntry& file : done.artifact().files()) {
    ASSERT_OK_AND_ASSIGN(const std::string bytes,
                         ReadWholeFile((dir_ / "out/") + file.path(), client::FileUnreadableError));
    EXPECT_EQ(DigestOf(bytes), *FromProto(file.digest())) << file.path();
  }
}

TEST_F(ServerTest, AWaitingWorkerGetsATaskWithoutAskingAgain) {
  ASSERT_OK_AND_ASSIGN(const v1::Model model, CreateModel());
  RunTasks(1);
  const std::string worker = raw_->Register();
  std::optional<v1::Lease> lease;
  std::thread waiting([&] { lease = raw_->Lease(worker, 15); });
  BITWRIGHT_EXPECT_OK(CreateJob(model.name()));
  waiting.join();
  ASSERT_TRUE(lease.has_value());
  EXPECT_EQ(lease->spec().kind(), "tokenize");
}

TEST_F(ServerTest, ACancelledWaitTakesNoTask) {
  ASSERT_OK_AND_ASSIGN(const v1::Model model, CreateModel());
  RunTasks(1);
  v1::LeaseTaskRequest request;
  request.set_worker(raw_->Register());
  request.mutable_max_wait()->set_seconds(20);
  const auto context = RawCalls::Context();
  grpc::Status status;
  std::thread waiting([&] {
    v1::LeaseTaskResponse response;
    status = raw_->workers->LeaseTask(context.get(), request, &response);
  });
  context->TryCancel();
  waiting.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  BITWRIGHT_EXPECT_OK(CreateJob(model.name()));
  const std::string first = raw_->Register();
  const std::string second = raw_->Register();
  EXPECT_TRUE(raw_->Lease(first, 10).has_value());
  EXPECT_TRUE(raw_->Lease(second, 10).has_value()) << "both first tasks are there";
}

TEST_F(ServerTest, AWatcherMayGo) {
  const std::string name = QueuedJob();
  for (int i = 0; i < 20; ++i) {
    const auto cancel = std::make_shared<CancelToken>();
    const auto watcher = Connect(cancel);
    if (i % 2 == 1) cancel->Cancel();
    EXPECT_THAT(watcher->WatchJob(name, [&](const v1::Job&) { cancel->Cancel(); }), HasReason("INTERRUPTED"));
  }
  RunTasks();
  EXPECT_EQ(GetJob(name)->state(), v1::Job::SUCCEEDED);
}

TEST_F(ServerTest, ASilentWorkersTaskGoesToAnother) {
  QueuedJob();
  const std::string silent = raw_->Register();
  const auto first = raw_->Lease(silent, 5);
  ASSERT_TRUE(first.has_value());
  const std::string other = raw_->Register();
  std::optional<v1::Lease> again;
  for (int i = 0; i < 10 && !(again && again->task() == first->task()); ++i) {
    if (again) {
      BITWRIGHT_EXPECT_OK(raw_->Complete(other, *again));
    }
    again = raw_->Lease(other, 5);  // waits out the lease, then the back-off
  }
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->task(), first->task());
  EXPECT_THAT(raw_->Complete(silent, *first), HasReason("LEASE_LOST"));
}

TEST_F(ServerTest, ARestartedServerGoesOnWhereItWas) {
  const std::string name = QueuedJob();
  RunTasks(5);
  Start();
  ASSERT_OK_AND_ASSIGN(const v1::Job resumed, GetJob(name));
  EXPECT_EQ(resumed.state(), v1::Job::RUNNING);
  int finished = 0;
  for (const v1::Stage& stage : resumed.stages()) finished += stage.finished();
  EXPECT_EQ(finished, 5);
  RunTasks();
  ASSERT_OK_AND_ASSIGN(const v1::Job done, GetJob(name));
  EXPECT_EQ(done.state(), v1::Job::SUCCEEDED);
}

TEST_F(ServerTest, DrainingSendsWatchersAndWorkersAway) {
  const std::string name = QueuedJob();
  std::thread drain;
  const Watched watched = Watch(name, [&](const v1::Job&) {
    if (!drain.joinable()) drain = std::thread([&] { server_->Drain(); });
  });
  drain.join();
  EXPECT_TRUE(absl::IsUnavailable(watched.status)) << watched.status;
}

TEST_F(ServerTest, EveryErrorCarriesItsReason) {
  EXPECT_THAT(GetJob("jobs/none"), HasReason("JOB_NOT_FOUND"));
  EXPECT_THAT(GetJob("nonsense"), HasReason("NAME_INVALID"));
  EXPECT_THAT(Watch("jobs/none").status, HasReason("JOB_NOT_FOUND"));
  EXPECT_THAT(CreateJob("models/none"), HasReason("MODEL_NOT_FOUND"));
  v1::CreateModelRequest model;
  auto* file = model.mutable_manifest()->add_files();
  file->set_path("../x");
  *file->mutable_digest() = ToProto(raw_->Put("x"));
  EXPECT_THAT(client_->CreateModel(model), HasReason("MANIFEST_PATH_INVALID"));
  v1::GetRecipeRequest recipe;
  recipe.set_name("recipes/none");
  EXPECT_THAT(client_->GetRecipe(recipe), HasReason("RECIPE_NOT_FOUND"));
  v1::LeaseTaskRequest lease;
  lease.set_worker("workers/none");
  EXPECT_THAT(raw_->Call<v1::LeaseTaskResponse>(*raw_->workers, &v1::WorkerService::Stub::LeaseTask, lease),
              HasReason("WORKER_UNKNOWN"));
}

TEST_F(ServerTest, RecipesAndWorkersAreListed) {
  ASSERT_OK_AND_ASSIGN(const auto recipes, client_->ListRecipes(v1::ListRecipesRequest()));
  ASSERT_GE(recipes.recipes_size(), 3);
  EXPECT_EQ(recipes.recipes(0).name(), "recipes/mixed-gptq");
  v1::GetRecipeRequest named;
  named.set_name(recipes.recipes(0).name());
  EXPECT_EQ(client_->GetRecipe(named)->name(), named.name());
  const std::string worker = raw_->Register();
  ASSERT_OK_AND_ASSIGN(const auto workers, client_->ListWorkers(v1::ListWorkersRequest()));
  ASSERT_EQ(workers.workers_size(), 1);
  EXPECT_EQ(workers.workers(0).name(), worker);
}

TEST_F(ServerTest, CallsAreCounted) {
  (void)GetJob("jobs/none");
  EXPECT_THAT(server_->metrics_text(),
              ::testing::HasSubstr("bitwright_rpcs_total{code=\"NOT_FOUND\",method=\"GetJob\"} 1"));
}

TEST_F(ServerTest, ASecondServerOnTheDirectoryOrPortIsRefused) {
  EXPECT_THAT(Server::Start(options_, clock_), HasReason("DATA_DIR_LOCKED"));
  Options other = options_;
  other.data_dir = dir_ / "other";
  other.listen = server_->address();
  EXPECT_THAT(Server::Start(other, clock_), HasReason("LISTEN_FAILED"));
  other.listen = "0.0.0.0:0";
  EXPECT_THAT(Server::Start(other, clock_), HasReason("PUBLIC_PLAINTEXT_REFUSED"));
}

// Calls a unary method by name with the bytes of a request; returns those of the answer.
std::string CallByName(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                       const std::string& bytes_of_request = "") {
  grpc::GenericStub stub(channel);
  const auto context = RawCalls::Context();
  const grpc::Slice slice(bytes_of_request);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::Status status;
  absl::Notification done;
  stub.UnaryCall(context.get(), method, grpc::StubOptions(), &request, &response, [&](grpc::Status answer) {
    status = std::move(answer);
    done.Notify();
  });
  done.WaitForNotification();
  EXPECT_TRUE(status.ok()) << status.error_message();
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(response.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

TEST_F(ServerTest, HealthIsServing) {
  EXPECT_EQ(CallByName(raw_->channel, "/grpc.health.v1.Health/Check"), std::string("\x08\x01", 2)) << "SERVING";
  for (const std::string service :
       {"bitwright.v1.BlobService", "bitwright.v1.CapabilityService", "bitwright.v1.JobService",
        "bitwright.v1.ModelService", "bitwright.v1.RecipeService", "bitwright.v1.WorkerService",
        "google.bytestream.ByteStream"}) {
    const std::string request = std::string("\x0a") + static_cast<char>(service.size()) + service;
    EXPECT_EQ(CallByName(raw_->channel, "/grpc.health.v1.Health/Check", request), std::string("\x08\x01", 2))
        << service;
  }
}

TEST_F(ServerTest, SaysWhatItCanDo) {
  v1::Capabilities capabilities;
  ASSERT_TRUE(
      capabilities.ParseFromString(CallByName(raw_->channel, "/bitwright.v1.CapabilityService/GetCapabilities")));
  EXPECT_EQ(capabilities.version(), BITWRIGHT_VERSION);
  EXPECT_GE(capabilities.recipes_size(), 3);
}

// Without a worker a watcher is told so within about two seconds, and again when one has come.
TEST_F(ServerTest, AWatcherIsToldThatNoWorkerIsThere) {
  const std::string name = QueuedJob();
  ASSERT_OK_AND_ASSIGN(const auto workers, client_->ListWorkers(v1::ListWorkersRequest()));
  for (const v1::Worker& worker : workers.workers()) {
    v1::DeregisterWorkerRequest request;
    request.set_worker(worker.name());
    BITWRIGHT_ASSERT_OK(
        raw_->Call<v1::DeregisterWorkerResponse>(*raw_->workers, &v1::WorkerService::Stub::DeregisterWorker, request));
  }
  const MonotonicTime start = clock_.Monotonic();
  std::thread worker;
  std::vector<std::string> reasons;
  const Watched watched = Watch(name, [&](const v1::Job& job) {
    if (reasons.empty() || reasons.back() != job.waiting().reason()) reasons.push_back(job.waiting().reason());
    if (job.waiting().reason() != "NO_WORKER" || worker.joinable()) return;
    EXPECT_LT(clock_.Monotonic() - start, absl::Seconds(4));
    worker = std::thread([&] { RunTasks(); });
  });
  worker.join();
  BITWRIGHT_EXPECT_OK(watched.status);
  EXPECT_EQ(reasons, (std::vector<std::string>{"", "NO_WORKER", ""}));
}

TEST_F(ServerTest, AModelIsWatchedUntilItIsReady) {
  const auto model = CreateModel();
  BITWRIGHT_ASSERT_OK(model);
  std::thread worker;
  std::vector<v1::Model> seen;
  ASSERT_OK_AND_ASSIGN(const v1::Model ready, client_->WatchModel(model->name(), [&](const v1::Model& now) {
    seen.push_back(now);
    if (!worker.joinable()) worker = std::thread([&] { RunTasks(1); });
  }));
  worker.join();
  EXPECT_EQ(ready.state(), v1::Model::READY);
  EXPECT_GT(ready.info().blocks(), 0);
  ASSERT_GE(seen.size(), 2u);
  EXPECT_EQ(seen.front().state(), v1::Model::INSPECTING);
  for (size_t i = 1; i < seen.size(); ++i) EXPECT_GT(seen[i].revision(), seen[i - 1].revision());
  ASSERT_OK_AND_ASSIGN(const v1::Model again, client_->WatchModel(model->name(), nullptr));
  EXPECT_EQ(again.etag(), ready.etag()) << "a finished one is said once";
  EXPECT_THAT(client_->WatchModel("models/none", nullptr), HasReason("MODEL_NOT_FOUND"));
}

TEST_F(ServerTest, OperatorsSteerWorkersTasksAndKeptResults) {
  const std::string job = QueuedJob();
  const std::string worker = raw_->Register();
  const std::optional<v1::Lease> lease = raw_->Lease(worker, 5);
  ASSERT_TRUE(lease.has_value());
  ASSERT_OK_AND_ASSIGN(client::Client library, client::Client::ConnectTo({.address = server_->address()}));
  EXPECT_EQ(library.CordonWorker(worker)->state(), v1::Worker::CORDONED);
  ASSERT_OK_AND_ASSIGN(const auto workers, library.ListWorkers());
  const auto listed =
      std::find_if(workers.begin(), workers.end(), [&](const v1::Worker& one) { return one.name() == worker; });
  ASSERT_NE(listed, workers.end());
  EXPECT_EQ(listed->state(), v1::Worker::CORDONED);
  EXPECT_EQ(listed->task(), lease->task());
  EXPECT_EQ(library.RequeueTask(lease->task())->attempts(), 0);
  EXPECT_THAT(raw_->Complete(worker, *lease), HasReason("LEASE_LOST"));
  EXPECT_EQ(library.UncordonWorker(worker)->state(), v1::Worker::ACTIVE);
  EXPECT_EQ(library.DrainWorker(worker)->state(), v1::Worker::DRAINING);
  EXPECT_THAT(library.DrainWorker("workers/none"), HasReason("WORKER_NOT_FOUND"));
  RunTasks();
  ASSERT_OK_AND_ASSIGN(const auto tasks, library.ListTasks(job));
  ASSERT_FALSE(tasks.empty());
  ASSERT_OK_AND_ASSIGN(const v1::CacheEntry entry, library.GetCacheEntry(tasks[0].digest()));
  EXPECT_TRUE(entry.usable());
  BITWRIGHT_EXPECT_OK(library.DeleteCacheEntry(tasks[0].digest()));
  EXPECT_THAT(library.DeleteCacheEntry(tasks[0].digest()), HasReason("CACHE_ENTRY_NOT_FOUND"));
  EXPECT_THAT(library.DeleteJob(job, "other"), HasReason("ETAG_MISMATCH"));
  EXPECT_THAT(library.CancelJob(job, "other"), HasReason("JOB_FINISHED"));
  v1::TenantLimits limits;
  limits.set_queued_jobs(7);
  EXPECT_TRUE(library.UpdateTenantLimits("default", limits)->own_limits());
  EXPECT_EQ(library.GetTenant("default")->limits().queued_jobs(), 7);
  ASSERT_OK_AND_ASSIGN(const auto tenants, library.ListTenants(10));
  ASSERT_EQ(tenants.size(), 1u);
  EXPECT_GT(tenants[0].usage().bytes(), 0);
  EXPECT_THAT(library.GetTenant("No Name"), HasReason("TENANT_INVALID"));
  limits.set_bytes(-1);
  EXPECT_THAT(library.UpdateTenantLimits("default", limits), HasReason("TENANT_LIMIT_INVALID"));
}

}  // namespace
}  // namespace bitwright::server
