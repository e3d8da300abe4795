#include "server/resources/models.h"

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
    EXPECT_THAT(rig.models->Create(request), HasReason("MANIFEST_PATH_INVALID")) << path;
  }
  v1::CreateModelRequest twice;
  *twice.mutable_manifest() = rig.Files();
  Add(twice, "config.json", blob);
  EXPECT_THAT(rig.models->Create(twice), HasReason("MANIFEST_DUPLICATE_PATH"));
  v1::CreateModelRequest digest;
  *digest.mutable_manifest() = rig.Files();
  Add(digest, "more", blob).mutable_digest()->set_sha256("../../x");
  EXPECT_THAT(rig.models->Create(digest), HasReason("DIGEST_INVALID"));
}

TEST(Models, IncompleteManifestsAreRefused) {
  Rig rig;
  const BlobDigest blob = rig.Put("x");
  v1::CreateModelRequest request;
  EXPECT_THAT(rig.models->Create(request), HasReason("MANIFEST_INCOMPLETE"));
  Add(request, "config.json", blob);
  EXPECT_THAT(rig.models->Create(request), HasReason("MANIFEST_INCOMPLETE"));
  Add(request, "model.safetensors", DigestOf("never uploaded"));
  EXPECT_THAT(rig.models->Create(request), HasReason("BLOB_MISSING"));
  request.set_display_name(std::string(129, 'n'));
  EXPECT_THAT(rig.models->Create(request), HasReason("DISPLAY_NAME_INVALID"));
}

TEST(Models, ARequestIdMakesCreationRepeatable) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files();
  request.set_request_id("r1");
  ASSERT_OK_AND_ASSIGN(const v1::Model first, rig.models->Create(request));
  ASSERT_OK_AND_ASSIGN(const v1::Model again, rig.models->Create(request));
  EXPECT_EQ(again.name(), first.name());
  rig.Restart();
  ASSERT_OK_AND_ASSIGN(const v1::Model later, rig.models->Create(request));
  EXPECT_EQ(later.name(), first.name());
  request.set_display_name("other");
  EXPECT_THAT(rig.models->Create(request), HasReason("REQUEST_ID_REUSED"));
  request.set_request_id(std::string(65, 'r'));
  EXPECT_THAT(rig.models->Create(request), HasReason("REQUEST_ID_INVALID"));
}

TEST(Models, AreListedInPagesNewestFirstWithoutUnits) {
  Rig rig;
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.insert(names.begin(), rig.ReadyModel().name());
  v1::ListModelsRequest request;
  request.set_page_size(2);
  std::vector<std::string> seen;
  int pages = 0;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, rig.models->List(request));
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
  EXPECT_THAT(rig.models->List(request), HasReason("PAGE_TOKEN_INVALID"));
}

TEST(Models, DeletionRespectsUnfinishedJobs) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const v1::Job job = rig.CreateJob(rig.Spec(model.name()));
  EXPECT_THAT(rig.models->Delete(model.name()), HasReason("MODEL_IN_USE"));
  BITWRIGHT_ASSERT_OK(rig.jobs->Cancel(job.name()));
  BITWRIGHT_EXPECT_OK(rig.models->Delete(model.name()));
  EXPECT_THAT(rig.models->Get(model.name()), HasReason("MODEL_NOT_FOUND"));
  EXPECT_THAT(rig.models->Delete(model.name()), HasReason("MODEL_NOT_FOUND"));
  EXPECT_THAT(rig.models->Get("nonsense"), HasReason("NAME_INVALID"));
}

TEST(Models, DeletionEndsARunningInspection) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files();
  ASSERT_OK_AND_ASSIGN(const v1::Model model, rig.models->Create(request));
  const std::string worker = rig.AddWorker();
  const v1::Lease lease = rig.Lease(worker);
  BITWRIGHT_ASSERT_OK(rig.models->Delete(model.name()));
  EXPECT_TRUE(rig.Lost(worker, lease));
  EXPECT_THAT(rig.Complete(worker, lease), HasReason("LEASE_LOST"));
  EXPECT_THAT(rig.models->Get(model.name()), HasReason("MODEL_NOT_FOUND"));
}

// A client that goes on uploading to a model that was deleted meanwhile: the bytes are taken, a model of them is new.
TEST(Models, FilesOfADeletedModelMustBeHeldAgain) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  BITWRIGHT_ASSERT_OK(rig.models->Delete(model.name()));
  rig.clock.Advance(3601);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  v1::CreateModelRequest request;
  *request.mutable_manifest() = model.manifest();
  EXPECT_THAT(rig.models->Create(request), HasReason("BLOB_MISSING"));
  *request.mutable_manifest() = rig.Files();
  BITWRIGHT_EXPECT_OK(rig.models->Create(request));
}

}  // namespace
}  // namespace bitwright::server
