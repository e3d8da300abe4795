// bitwrightd as a process of its own: what must hold when processes are killed.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

#include "client/api/connection.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "proto/base/process.h"
#include "proto/contract/rpc_status.h"
#include "server/app/data_dir.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/raw_calls.h"

namespace bitwright::server {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return file.eof() ? "" : line;  // not yet written whole
}

// Waits on a condition that only another process can bring about. The test's timeout bounds it.
template <typename Condition>
void WaitUntil(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

bool Runs(int process_id) {
  std::ifstream file("/proc/" + std::to_string(process_id) + "/stat");
  std::string id, name, state;
  file >> id >> name >> state;
  return !state.empty() && state != "Z";
}

// Every byte that a streaming method answers to one message.
std::string AnswerTo(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                     const std::string& message) {
  grpc::GenericStub stub(channel);
  const auto context = RawCalls::Context();
  grpc::CompletionQueue queue;
  const auto next = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(context.get(), method, &queue);
  call->StartCall(nullptr);
  EXPECT_TRUE(next());
  const grpc::Slice slice(message);
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  EXPECT_TRUE(next());
  call->WritesDone(nullptr);
  EXPECT_TRUE(next());
  std::string bytes;
  grpc::ByteBuffer answer;
  for (call->Read(&answer, nullptr); next(); call->Read(&answer, nullptr)) {
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(answer.Dump(&slices).ok());
    for (const grpc::Slice& part : slices) bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  EXPECT_TRUE(next());
  EXPECT_TRUE(status.ok()) << status.error_message();
  queue.Shutdown();
  return bytes;
}

// A program that ends with this test.
pid_t StartChild(const std::string& program, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program);
  return StartProcess({.program = program, .arguments = std::move(arguments), .ends_with_thread = true});
}

class DaemonTest : public ::testing::Test {
 protected:
  ~DaemonTest() override {
    if (process_ > 0) Kill(SIGKILL);
  }

  std::vector<std::string> Arguments(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"--data-dir",  dir_ / "data", "--listen",         "127.0.0.1:0",
                                          "--port-file", dir_ / "port", "--metrics-listen", "off"};
    if (more.empty()) more = {"--workers", "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  void Start(const std::vector<std::string>& more = {}) {
    ::unlink((dir_ / "port").c_str());
    process_ = StartChild(BITWRIGHTD, Arguments(more));
    ASSERT_GT(process_, 0);
    WaitUntil([this] { return !FirstLine(dir_ / "port").empty() || !Runs(process_); });
    ASSERT_TRUE(Runs(process_));
    client_ = *client::Connect({.address = FirstLine(dir_ / "port")});
    raw_ = std::make_unique<RawCalls>(FirstLine(dir_ / "port"));
  }

  // Returns what waitpid says.
  int Kill(int signal) {
    ::kill(process_, signal);
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = 0;
    return status;
  }

  int RunTasks(int limit) { return raw_->RunTasks(limit); }

  std::string QueuedJob() {
    v1::CreateModelRequest model;
    for (const char* path : {"config.json", "model.safetensors", "tokenizer.json"}) {
      v1::FileEntry* file = model.mutable_manifest()->add_files();
      file->set_path(path);
      *file->mutable_digest() = ToProto(raw_->Put(path));
    }
    const auto created = client_->CreateModel(model);
    EXPECT_THAT(created, IsOk());
    RunTasks(1);
    v1::CreateJobRequest request;
    v1::JobSpec& spec = *request.mutable_spec();
    spec.set_model(created->name());
    spec.set_recipe("recipes/mixed-gptq");
    spec.mutable_budget()->set_average_bits(4.25);
    for (v1::Data* data : {spec.add_calibration(), spec.add_evaluation()}) {
      data->set_kind(v1::Data::TEXT);
      *data->mutable_blob() = ToProto(raw_->Put("text"));
    }
    const auto job = client_->CreateJob(request);
    EXPECT_THAT(job, IsOk());
    return job->name();
  }

  v1::Job GetJob(const std::string& name) {
    v1::GetJobRequest request;
    request.set_name(name);
    const auto job = client_->GetJob(request);
    EXPECT_THAT(job, IsOk());
    return *job;
  }

  TempDir dir_;
  int process_ = 0;
  std::unique_ptr<client::Connection> client_;
  std::unique_ptr<RawCalls> raw_;
};

TEST_F(DaemonTest, KilledInMidJobItLosesNothing) {
  Start();
  const std::string name = QueuedJob();
  int total = 1;
  for (const int tasks : {1, 3, 7, 1000}) {
    total += RunTasks(tasks);
    Kill(SIGKILL);
    Start();
    int finished = 1;  // the inspection
    const v1::Job job = GetJob(name);
    for (const v1::Stage& stage : job.stages()) finished += stage.finished();
    EXPECT_EQ(finished, total);
  }
  EXPECT_EQ(GetJob(name).state(), v1::Job::SUCCEEDED);
}

TEST_F(DaemonTest, TerminationDrainsAndExitsWithZero) {
  Start();
  QueuedJob();
  const int status = Kill(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  BITWRIGHT_EXPECT_OK(DataDir::Open(dir_ / "data"));
}

TEST_F(DaemonTest, APublicAddressIsRefused) {
  const int process = StartChild(BITWRIGHTD, {"--data-dir", dir_ / "data", "--listen", "0.0.0.0:0", "--workers", "0"});
  int status = 0;
  ::waitpid(process, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

TEST_F(DaemonTest, ReflectionListsEveryService) {
  Start();
  const std::string list_services("\x3a\x01*", 3);  // ServerReflectionRequest.list_services = "*"
  const std::string answer =
      AnswerTo(raw_->channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", list_services);
  for (const char* service :
       {"bitwright.v1.BlobService", "bitwright.v1.ModelService", "bitwright.v1.JobService",
        "bitwright.v1.RecipeService", "bitwright.v1.WorkerService", "bitwright.v1.CapabilityService",
        "externalscaler.ExternalScaler", "google.bytestream.ByteStream", "grpc.health.v1.Health"}) {
    EXPECT_THAT(answer, ::testing::HasSubstr(service));
  }
}

TEST_F(DaemonTest, HealthIsServing) {
  Start();
  EXPECT_EQ(AnswerTo(raw_->channel, "/grpc.health.v1.Health/Check", ""), std::string("\x08\x01", 2)) << "SERVING";
}

// What no client of ours sends.
TEST_F(DaemonTest, HostileCallsAreRefusedAndNamed) {
  Start();
  const std::string name = QueuedJob();
  EXPECT_THAT(raw_->Upload("one", DigestOf("these bytes"), "other bytes"), HasReason("BLOB_DIGEST_MISMATCH"));
  for (const char* path : {"../x", "/etc/passwd", "a/../../x", "a//b", ".", ""}) {
    v1::CreateModelRequest request;
    v1::FileEntry* file = request.mutable_manifest()->add_files();
    file->set_path(path);
    *file->mutable_digest() = ToProto(raw_->Put("x"));
    EXPECT_THAT(client_->CreateModel(request), HasReason("MANIFEST_PATH_INVALID")) << path;
  }
  RunTasks(1000);
  EXPECT_EQ(GetJob(name).state(), v1::Job::SUCCEEDED);
}

TEST_F(DaemonTest, ADeletedModelTakesNoJob) {
  Start();
  const std::string name = QueuedJob();
  RunTasks(1000);
  v1::CreateJobRequest job;
  *job.mutable_spec() = GetJob(name).spec();
  v1::DeleteModelRequest deletion;
  deletion.set_name(job.spec().model());
  BITWRIGHT_EXPECT_OK(client_->DeleteModel(deletion));
  EXPECT_THAT(client_->CreateJob(job), HasReason("MODEL_NOT_FOUND"));
  EXPECT_EQ(GetJob(name).state(), v1::Job::SUCCEEDED) << "a finished job keeps what it has";
}

TEST_F(DaemonTest, WorkersDieWithIt) {
  const std::string script = dir_ / "worker";
  std::ofstream(script) << "#!/bin/sh\necho $$ > " << dir_ / "pid"
                        << "\nexec sleep 1000\n";
  ::chmod(script.c_str(), 0755);
  Start({"--workers", "1", "--worker-binary", script});
  WaitUntil([this] { return !FirstLine(dir_ / "pid").empty(); });
  const int worker = std::stoi(FirstLine(dir_ / "pid"));
  EXPECT_TRUE(Runs(worker));
  Kill(SIGKILL);
  WaitUntil([worker] { return !Runs(worker); });
}

TEST_F(DaemonTest, ItEndsWithItsParentWhenAsked) {
  std::string command = std::string("'") + BITWRIGHTD + "'";
  for (const std::string& argument : Arguments({"--workers", "0", "--exit-with-parent"}))
    command += " '" + argument + "'";
  process_ = StartChild("/bin/sh", {"-c", command + " & wait"});
  WaitUntil([this] { return !FirstLine(dir_ / "port").empty(); });
  EXPECT_THAT(DataDir::Open(dir_ / "data"), HasReason("DATA_DIR_LOCKED"));
  Kill(SIGKILL);
  WaitUntil([this] { return DataDir::Open(dir_ / "data").ok(); });
}

}  // namespace
}  // namespace bitwright::server
