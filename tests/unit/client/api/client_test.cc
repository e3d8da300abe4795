#include "client/api/client.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake/fake_service.h"
#include "tests/unit/client/test_files.h"
#include "tests/unit/proto/transfer/test_clock.h"

namespace bitwright::client {
namespace {

// A client, a service, and a model folder with one file of several chunks.
class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    EXPECT_THAT(WriteWholeFile(dir_ / "config.json", "{}"), IsOk());
    weights_.resize((5 << 20) + 123);
    for (size_t i = 0; i < weights_.size(); ++i) weights_[i] = static_cast<char>(i * 2654435761u >> 13);
    EXPECT_THAT(WriteWholeFile(dir_ / "model.safetensors", weights_), IsOk());
  }
  Client NewClient() {
    return *Client::ConnectTo({.address = service_.address(), .clock = &clock_, .cancel = cancel_});
  }
  std::string WeightsName() const { return DigestOf(weights_).ToString(); }

  TempDir dir_;
  std::string weights_;
  TestClock clock_;
  std::shared_ptr<CancelToken> cancel_ = std::make_shared<CancelToken>();
  FakeService service_;
};

TEST_F(ClientTest, UploadsAModelAndWaitsForItsInspection) {
  std::vector<TransferProgress> progress;
  ASSERT_OK_AND_ASSIGN(const v1::Model model,
                       NewClient().UploadModel(dir_.path(), "name", [&](const auto& p) { progress.push_back(p); }));
  EXPECT_EQ(model.state(), v1::Model::READY);
  EXPECT_EQ(model.display_name(), "name");
  ASSERT_EQ(model.manifest().files_size(), 2);
  EXPECT_EQ(model.manifest().files(1).path(), "model.safetensors");
  EXPECT_EQ(service_.blobs[WeightsName()], weights_);
  EXPECT_TRUE(clock_.sleeps().empty()) << "the server says when the inspection is over";
  EXPECT_EQ(progress.front().phase, TransferProgress::Phase::kHash);
  EXPECT_EQ(progress.back().phase, TransferProgress::Phase::kInspect);
}

TEST_F(ClientTest, UploadsOnlyWhatIsMissing) {
  service_.blobs[WeightsName()] = weights_;
  ASSERT_THAT(NewClient().UploadModel(dir_.path(), "x"), IsOk());
  EXPECT_EQ(service_.seen.write_names.size(), 1u);
}

TEST_F(ClientTest, RejectedModelIsTheServersError) {
  service_.plan.reject_model = true;
  const auto model = NewClient().UploadModel(dir_.path(), "x");
  EXPECT_THAT(model, HasReason("TENSOR_MISSING"));
  EXPECT_EQ(GetErrorDetail(model.status())->metadata.at("tensor"), "x");
}

TEST_F(ClientTest, BrokenUploadGoesOnWhereItWas) {
  service_.plan.break_writes_after = {-1, 2 << 20, 1 << 20};  // config.json goes through
  ASSERT_THAT(NewClient().UploadModel(dir_.path(), "x"), IsOk());
  EXPECT_EQ(service_.blobs[WeightsName()], weights_);
  EXPECT_EQ(service_.seen.write_offsets, (std::vector<int64_t>{0, 0, 2 << 20, 3 << 20}));
}

TEST_F(ClientTest, AnotherProcessContinuesAnUpload) {
  service_.plan.break_writes_after = {-1, 2 << 20};
  {
    // This process is ended at the first trouble.
    ASSERT_OK_AND_ASSIGN(Client client, Client::ConnectTo({.address = service_.address(),
                                                           .retry = {.give_up = absl::Milliseconds(0)},
                                                           .clock = &clock_}));
    EXPECT_THAT(client.UploadModel(dir_.path(), "x"), HasReason("SERVER_UNREACHABLE"));
  }
  ASSERT_THAT(NewClient().UploadModel(dir_.path(), "x"), IsOk());
  EXPECT_EQ(service_.seen.write_offsets.back(), 2 << 20);
  EXPECT_EQ(service_.blobs[WeightsName()], weights_);
}

TEST_F(ClientTest, BusyUploadNameIsLeftToTheOther) {
  service_.plan.busy_uploads = true;
  ASSERT_THAT(NewClient().UploadFile(dir_ / "model.safetensors"), IsOk());
  ASSERT_EQ(service_.seen.write_names.size(), 2u);
  EXPECT_NE(service_.seen.write_names[0], service_.seen.write_names[1]);
}

TEST_F(ClientTest, CollectedBlobsAreUploadedAgain) {
  service_.plan.lose_blobs = 1;
  ASSERT_THAT(NewClient().UploadModel(dir_.path(), "x"), IsOk());
  EXPECT_EQ(service_.seen.create_models, 2);
  service_.plan.lose_blobs = 100;
  EXPECT_THAT(NewClient().UploadModel(dir_.path(), "x"), HasReason("BLOB_MISSING"));
}

TEST_F(ClientTest, EqualFilesTravelOnce) {
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir_ / "tokenizer.json", "{}"));  // as config.json
  ASSERT_OK_AND_ASSIGN(const v1::Model model, NewClient().UploadModel(dir_.path(), "x"));
  EXPECT_EQ(model.manifest().files_size(), 3);
  EXPECT_EQ(service_.seen.write_names.size(), 2u);
}

TEST_F(ClientTest, OtherWeightsStayWhereTheyAre) {
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir_ / "consolidated.safetensors", weights_ + "x"));
  ASSERT_OK_AND_ASSIGN(const v1::Model model, NewClient().UploadModel(dir_.path(), "x"));
  EXPECT_EQ(model.manifest().files_size(), 2);
  EXPECT_EQ(service_.blobs.size(), 2u);
}

TEST_F(ClientTest, NamesAreRefusedBeforeAnythingTravels) {
  EXPECT_THAT(NewClient().UploadModel(dir_.path(), std::string(200, 'x')), HasReason("DISPLAY_NAME_INVALID"));
  EXPECT_THAT(NewClient().UploadModel(dir_.path(), "\xff"), HasReason("DISPLAY_NAME_INVALID"));
  EXPECT_TRUE(service_.seen.write_names.empty());
}

TEST_F(ClientTest, SaysWhatAnInspectionWaitsFor) {
  service_.plan.waiting.set_reason("NO_WORKER");
  service_.plan.waiting.set_message("no worker is registered");
  std::vector<std::string> waiting;
  ASSERT_THAT(NewClient().UploadModel(dir_.path(), "x", [&](const auto& p) { waiting.push_back(p.waiting); }), IsOk());
  EXPECT_EQ(std::count(waiting.begin(), waiting.end(), "no worker is registered"), 3);
}

TEST_F(ClientTest, WatchReconnectsAndNeverGoesBack) {
  Client client = NewClient();
  ASSERT_THAT(client.CreateJob({}), IsOk());
  service_.plan.break_watches = 2;
  std::vector<int64_t> revisions;
  ASSERT_OK_AND_ASSIGN(const v1::Job job,
                       client.WatchJob("jobs/j1", [&](const v1::Job& now) { revisions.push_back(now.revision()); }));
  EXPECT_EQ(job.state(), v1::Job::SUCCEEDED);
  EXPECT_TRUE(std::is_sorted(revisions.begin(), revisions.end()));
  EXPECT_EQ(revisions.size(), 4u);
}

// A task may run for hours without anything to tell of it.
TEST_F(ClientTest, AWatchOutlastsLongSilence) {
  service_.plan.silent_watches = 2;
  ConnectionOptions options;
  options.address = service_.address();
  options.watch_limit = absl::Milliseconds(200);
  options.retry.give_up = absl::Milliseconds(100);  // shorter than the silence
  options.retry.first = absl::Milliseconds(1);
  ASSERT_OK_AND_ASSIGN(Client client, Client::ConnectTo(std::move(options)));
  ASSERT_OK_AND_ASSIGN(const v1::Job job, client.WatchJob("jobs/j1", [](const v1::Job&) {}));
  EXPECT_EQ(job.state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(service_.plan.silent_watches, 0);
}

TEST_F(ClientTest, CancelEndsAWatch) {
  Client client = NewClient();
  ASSERT_THAT(client.CreateJob({}), IsOk());
  service_.plan.job_hangs = true;
  const auto job =
      client.WatchJob("jobs/j1", [&](const v1::Job&) { std::thread([token = cancel_] { token->Cancel(); }).detach(); });
  EXPECT_THAT(job, HasReason("INTERRUPTED"));
}

TEST_F(ClientTest, ListsCollectAllPages) {
  ASSERT_OK_AND_ASSIGN(const auto all, NewClient().ListModels(100));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[2].name(), "models/page2");
  ASSERT_OK_AND_ASSIGN(const auto two, NewClient().ListModels(2));
  EXPECT_EQ(two.size(), 2u);
}

TEST_F(ClientTest, ValidateQueuesNothing) {
  ASSERT_OK_AND_ASSIGN(const v1::Job job, NewClient().ValidateJob({}));
  EXPECT_EQ(job.name(), "");
  EXPECT_EQ(job.estimate().tasks(), 12);
}

}  // namespace
}  // namespace bitwright::client
