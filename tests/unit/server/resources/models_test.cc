#include "server/resources/models.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

v1::FileEntry& Add(v1::CreateModelRequest& request, const std::string& path, const BlobDigest& digest) {
  v1::FileEntry* file = request.mutable_manifest()->add_files();
  file->set_path(path);
  *file->mutable_digest() = ToProto(digest);
  return *file;
}

TEST(Models, AreInspectedThenReady) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  EXPECT_EQ(model.state(), v1::Model::READY);
  EXPECT_EQ(model.info().family(), "llama");
  EXPECT_GT(model.info().units_size(), 0);
  EXPECT_EQ(model.display_name(), "small");
}

TEST(Models, HostileManifestsAreRefused) {
  Rig rig;
  const BlobDigest blob = rig.Put("x");
  for (const char* path : {"../x", "a/../x", "/etc/passwd", "a//b", "./a", "a\\b", ""}) {
    v1::CreateModelRequest request;
    *request.mutable_manifest() = rig.Files();
    Add(request, path, blob);
    EXPECT_THAT(rig.models->Create(kCaller, request), HasReason("MANIFEST_PATH_INVALID")) << path;
  }
  v1::CreateModelRequest twice;
  *twice.mutable_manifest() = rig.Files();
  Add(twice, "config.json", blob);
  EXPECT_THAT(rig.models->Create(kCaller, twice), HasReason("MANIFEST_DUPLICATE_PATH"));
  v1::CreateModelRequest digest;
  *digest.mutable_manifest() = rig.Files();
  Add(digest, "more", blob).mutable_digest()->set_sha256("../../x");
  EXPECT_THAT(rig.models->Create(kCaller, digest), HasReason("DIGEST_INVALID"));
}

TEST(Models, IncompleteManifestsAreRefused) {
  Rig rig;
  const BlobDigest blob = rig.Put("x");
  v1::CreateModelRequest request;
  EXPECT_THAT(rig.models->Create(kCaller, request), HasReason("MANIFEST_EMPTY"));
  Add(request, "config.json", blob);
  Add(request, "model.safetensors", DigestOf("never uploaded"));
  EXPECT_THAT(rig.models->Create(kCaller, request), HasReason("BLOB_MISSING"));
  request.set_display_name(std::string(129, 'n'));
  EXPECT_THAT(rig.models->Create(kCaller, request), HasReason("DISPLAY_NAME_INVALID"));
}

TEST(Models, WhatIsNoModelIsForTheInspectionToName) {
  Rig rig;
  v1::CreateModelRequest request;
  Add(request, "model.gguf", rig.Put("GGUF"));
  ASSERT_OK_AND_ASSIGN(const v1::Model model, rig.models->Create(kCaller, request));
  EXPECT_EQ(model.state(), v1::Model::INSPECTING);
}

TEST(Models, OnesInspectedByAnEarlierVersionAreInspectedAnewUnderANewName) {
  Rig rig;
  const v1::Model old = rig.ReadyModel();
  BITWRIGHT_ASSERT_OK(rig.store->Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(std::optional<ModelRow> row, tx.GetModel(old.name()));
    v1::Model without = old;
    without.mutable_info()->clear_files();
    row->body = without.SerializeAsString();
    return tx.PutModel(*row);
  }));
  v1::CreateJobRequest job;
  *job.mutable_spec() = rig.Spec(old.name());
  EXPECT_THAT(rig.jobs->Create(kCaller, job), HasReason("MODEL_OUTDATED"));
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files();
  ASSERT_OK_AND_ASSIGN(const v1::Model anew, rig.models->Create(kCaller, request));
  EXPECT_NE(anew.name(), old.name());
  EXPECT_THAT(rig.models->Get(kCaller, old.name()), IsOk()) << "what names it still finds it";
  ASSERT_OK_AND_ASSIGN(const v1::Model again, rig.models->Create(kCaller, request));
  EXPECT_EQ(again.name(), anew.name());
}

TEST(Models, ARequestIdMakesCreationRepeatable) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files();
  request.set_request_id("r1");
  ASSERT_OK_AND_ASSIGN(const v1::Model first, rig.models->Create(kCaller, request));
  ASSERT_OK_AND_ASSIGN(const v1::Model again, rig.models->Create(kCaller, request));
  EXPECT_EQ(again.name(), first.name());
  rig.Restart();
  ASSERT_OK_AND_ASSIGN(const v1::Model later, rig.models->Create(kCaller, request));
  EXPECT_EQ(later.name(), first.name());
  request.set_display_name("other");
  EXPECT_THAT(rig.models->Create(kCaller, request), HasReason("REQUEST_ID_REUSED"));
  request.set_request_id(std::string(65, 'r'));
  EXPECT_THAT(rig.models->Create(kCaller, request), HasReason("REQUEST_ID_INVALID"));
}

TEST(Models, AreListedInPagesNewestFirstWithoutUnits) {
  Rig rig;
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.insert(names.begin(), rig.ReadyModel("model " + std::to_string(i)).name());
  v1::ListModelsRequest request;
  request.set_page_size(2);
  std::vector<std::string> seen;
  int pages = 0;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, rig.models->List(kCaller, request));
    for (const v1::Model& model : page.models()) {
      seen.push_back(model.name());
      EXPECT_EQ(model.info().units_size(), 0);
      EXPECT_EQ(model.info().family(), "llama");
    }
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(seen, names);
  EXPECT_EQ(pages, 3);
  request.set_page_token("nonsense");
  EXPECT_THAT(rig.models->List(kCaller, request), HasReason("PAGE_TOKEN_INVALID"));
}

TEST(Models, CanBeFiltered) {
  Rig rig;
  const v1::Model first = rig.ReadyModel("one");
  rig.clock.Advance(60);
  const v1::Model second = rig.ReadyModel("two");
  const auto names = [&](const std::string& filter) {
    v1::ListModelsRequest request;
    request.set_filter(filter);
    std::vector<std::string> found;
    const auto page = rig.models->List(kCaller, request);
    EXPECT_THAT(page, IsOk());
    for (const v1::Model& model : page->models()) found.push_back(model.name());
    return found;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names("name = \"" + first.name().substr(0, 12) + "*\""), Names{first.name()});
  EXPECT_EQ(names("display_name = small AND state = READY AND family = llama"), (Names{second.name(), first.name()}));
  EXPECT_EQ(names("state = INSPECTING"), Names());
  EXPECT_EQ(names("create_time > \"2023-11-14T22:13:30Z\""), Names{second.name()});
  v1::ListModelsRequest wrong;
  wrong.set_filter("size = 3");
  EXPECT_THAT(rig.models->List(kCaller, wrong), HasReason("FILTER_INVALID"));
}

TEST(Models, TheSameFilesAreTheSameModel) {
  Rig rig;
  const v1::Model model = rig.ReadyModel("a");
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files("a");
  request.set_display_name("another name");
  std::reverse(request.mutable_manifest()->mutable_files()->begin(),
               request.mutable_manifest()->mutable_files()->end());
  ASSERT_OK_AND_ASSIGN(const v1::Model again, rig.models->Create(kCaller, request));
  EXPECT_EQ(again.name(), model.name());
  EXPECT_EQ(again.display_name(), "small") << "the name that it has";
  EXPECT_EQ(again.state(), v1::Model::READY);
  request.mutable_manifest()->mutable_files(0)->set_path("vocab.json");
  ASSERT_OK_AND_ASSIGN(const v1::Model other, rig.models->Create(kCaller, request));
  EXPECT_NE(other.name(), model.name()) << "another path";
  BITWRIGHT_ASSERT_OK(rig.models->Delete(kCaller, model.name()));
  *request.mutable_manifest() = rig.Files("a");
  ASSERT_OK_AND_ASSIGN(const v1::Model anew, rig.models->Create(kCaller, request));
  EXPECT_NE(anew.name(), model.name());
  EXPECT_EQ(anew.display_name(), "another name");
}

TEST(Models, OneThatIsBeingInspectedIsNotInspectedTwice) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files("a");
  ASSERT_OK_AND_ASSIGN(const v1::Model model, rig.models->Create(kCaller, request));
  ASSERT_OK_AND_ASSIGN(const v1::Model again, rig.models->Create(kCaller, request));
  EXPECT_EQ(again.name(), model.name());
  EXPECT_EQ(again.state(), v1::Model::INSPECTING);
  EXPECT_EQ(rig.RunAll(rig.AddWorker()), 1);
}

TEST(Models, ARejectedOneIsReplaced) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files("a");
  ASSERT_OK_AND_ASSIGN(const v1::Model rejected, rig.models->Create(kCaller, request));
  const std::string worker = rig.AddWorker();
  BITWRIGHT_ASSERT_OK(rig.FailLease(worker, rig.Lease(worker), absl::InvalidArgumentError("bad"), false));
  ASSERT_EQ(rig.models->Get(kCaller, rejected.name())->state(), v1::Model::REJECTED);
  ASSERT_OK_AND_ASSIGN(const v1::Model again, rig.models->Create(kCaller, request));
  EXPECT_NE(again.name(), rejected.name());
  EXPECT_THAT(rig.models->Get(kCaller, rejected.name()), HasReason("MODEL_NOT_FOUND"));
  EXPECT_EQ(rig.RunAll(worker), 1) << "inspected again";
  EXPECT_EQ(rig.models->Get(kCaller, again.name())->state(), v1::Model::READY);
}

// As a database of before schema version 2 has it.
TEST(Models, OneOfAnOlderDatabaseIsFoundByItsFiles) {
  Rig rig;
  const v1::Model model = rig.ReadyModel("a");
  BITWRIGHT_ASSERT_OK(rig.store->Write([&](Transaction& tx) {
    ModelRow row = **tx.GetModel(model.name());
    row.content.clear();
    return tx.PutModel(row);
  }));
  rig.Restart();
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files("a");
  EXPECT_EQ(rig.models->Create(kCaller, request)->name(), model.name());
}

TEST(Models, DeletionRespectsUnfinishedJobs) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const v1::Job job = rig.CreateJob(rig.Spec(model.name()));
  EXPECT_THAT(rig.models->Delete(kCaller, model.name()), HasReason("MODEL_IN_USE"));
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(kCaller, job.name()));
  BITWRIGHT_EXPECT_OK(rig.models->Delete(kCaller, model.name()));
  EXPECT_THAT(rig.models->Get(kCaller, model.name()), HasReason("MODEL_NOT_FOUND"));
  EXPECT_THAT(rig.models->Delete(kCaller, model.name()), HasReason("MODEL_NOT_FOUND"));
  EXPECT_THAT(rig.models->Get(kCaller, "nonsense"), HasReason("NAME_INVALID"));
}

TEST(Models, DeletionEndsARunningInspection) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files();
  ASSERT_OK_AND_ASSIGN(const v1::Model model, rig.models->Create(kCaller, request));
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  BITWRIGHT_ASSERT_OK(rig.models->Delete(kCaller, model.name()));
  EXPECT_TRUE(rig.Lost(worker, lease));
  EXPECT_THAT(rig.Complete(worker, lease), HasReason("LEASE_LOST"));
  EXPECT_THAT(rig.models->Get(kCaller, model.name()), HasReason("MODEL_NOT_FOUND"));
}

// A client that goes on uploading to a model that was deleted meanwhile: the bytes are taken, a model of them is new.
TEST(Models, FilesOfADeletedModelMustBeHeldAgain) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  BITWRIGHT_ASSERT_OK(rig.models->Delete(kCaller, model.name()));
  rig.clock.Advance(3601);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  v1::CreateModelRequest request;
  *request.mutable_manifest() = model.manifest();
  EXPECT_THAT(rig.models->Create(kCaller, request), HasReason("BLOB_MISSING"));
  *request.mutable_manifest() = rig.Files();
  BITWRIGHT_EXPECT_OK(rig.models->Create(kCaller, request));
}

}  // namespace
}  // namespace bitwright::server
