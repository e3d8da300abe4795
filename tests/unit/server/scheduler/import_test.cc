#include <set>

#include "proto/contract/digest.h"
#include "server/blobs/blob_errors.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

// Models in another form: inspected, rewritten once, inspected again.
namespace bitwright::server {
namespace {

v1::Manifest ForeignFiles(Rig& rig, const std::string& seed = "a") {
  v1::Manifest manifest;
  v1::FileEntry* file = manifest.add_files();
  file->set_path("model.gguf");
  *file->mutable_digest() = ToProto(rig.Put("a GGUF " + seed));
  return manifest;
}

v1::Model Create(Rig& rig, const v1::Manifest& manifest) {
  v1::CreateModelRequest request;
  *request.mutable_manifest() = manifest;
  auto model = rig.models->Create(kCaller, request);
  EXPECT_THAT(model, IsOk());
  rig.scheduler->Settle();
  return *model;
}

v1::Model Get(Rig& rig, const std::string& name) { return *rig.models->Get(kCaller, name); }

std::vector<std::string> KindsRun(Rig& rig, const std::string& worker) {
  std::vector<std::string> kinds;
  while (true) {
    const auto lease = *rig.TryLease(worker);
    if (!lease) return kinds;
    kinds.push_back(lease->spec().kind());
    EXPECT_THAT(rig.Complete(worker, *lease), IsOk());
  }
}

bool Held(Rig& rig, const v1::Digest& digest) { return *rig.held->Has({}, *FromProto(digest)); }

TEST(Import, AModelIsReadyWithTheFilesThatWereMade) {
  Rig rig;
  const v1::Manifest given = ForeignFiles(rig);
  const std::string name = Create(rig, given).name();
  EXPECT_EQ(KindsRun(rig, rig.AddWorker()), (std::vector<std::string>{"inspect", "import", "inspect"}));
  const v1::Model model = Get(rig, name);
  ASSERT_EQ(model.state(), v1::Model::READY) << model.error().message();
  EXPECT_EQ(model.manifest().SerializeAsString(), given.SerializeAsString()) << "as it was uploaded";
  EXPECT_EQ(model.info().imported().form(), v1::Import::GGUF);
  EXPECT_GT(model.info().units_size(), 0);
  std::set<std::string> paths;
  for (const v1::FileEntry& file : model.imported().files()) {
    paths.insert(file.path());
    EXPECT_TRUE(Held(rig, file.digest())) << file.path();
  }
  EXPECT_EQ(paths, (std::set<std::string>(model.info().files().begin(), model.info().files().end())));
}

TEST(Import, OthersAreInspectedAndNoMore) {
  Rig rig;
  v1::CreateModelRequest request;
  *request.mutable_manifest() = rig.Files();
  const std::string name = rig.models->Create(kCaller, request)->name();
  EXPECT_EQ(KindsRun(rig, rig.AddWorker()), (std::vector<std::string>{"inspect"}));
  EXPECT_FALSE(Get(rig, name).has_imported());
  EXPECT_FALSE(Get(rig, name).info().has_imported());
}

TEST(Import, JobsComputeWithTheImportedFiles) {
  Rig rig;
  const std::string name = Create(rig, ForeignFiles(rig)).name();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker);
  const v1::Model model = Get(rig, name);
  std::map<std::string, std::string> digests;
  for (const v1::FileEntry& file : model.imported().files()) digests["model/" + file.path()] = file.digest().sha256();
  const v1::Job job = rig.CreateJob(rig.Spec(name));
  int read = 0;
  while (const auto lease = *rig.TryLease(worker)) {
    for (const v1::TaskInput& input : lease->spec().inputs()) {
      if (!input.name().starts_with("model/")) continue;
      EXPECT_EQ(digests[input.name()], input.digest().sha256()) << input.name();
      ++read;
    }
    BITWRIGHT_ASSERT_OK(rig.Complete(worker, *lease));
  }
  EXPECT_GT(read, 0);
  EXPECT_EQ(rig.jobs->Get(kCaller, job.name())->state(), v1::Job::SUCCEEDED);
}

TEST(Import, GoesOnAfterARestartAtEveryStep) {
  for (int steps = 0; steps < 3; ++steps) {
    Rig rig;
    const std::string name = Create(rig, ForeignFiles(rig)).name();
    rig.RunAll(rig.AddWorker(), steps);
    rig.Restart();
    EXPECT_EQ(rig.RunAll(rig.AddWorker()), 3 - steps) << steps;
    EXPECT_EQ(Get(rig, name).state(), v1::Model::READY) << steps;
  }
}

TEST(Import, TheFilesAreKeptAsLongAsTheModel) {
  Rig rig;
  rig.collector_options.cache_bytes = 0;
  rig.Restart();
  const std::string name = Create(rig, ForeignFiles(rig)).name();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker, 2);
  rig.clock.Advance(1e6);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  rig.RunAll(worker);
  const v1::Model model = Get(rig, name);
  ASSERT_EQ(model.state(), v1::Model::READY) << model.error().message();
  rig.clock.Advance(1e6);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  for (const v1::FileEntry& file : model.imported().files()) EXPECT_TRUE(Held(rig, file.digest())) << file.path();
  BITWRIGHT_ASSERT_OK(rig.models->Delete(kCaller, name));
  rig.clock.Advance(1e6);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  for (const v1::FileEntry& file : model.imported().files()) EXPECT_FALSE(Held(rig, file.digest())) << file.path();
}

TEST(Import, TheSecondTimeItIsKnown) {
  Rig rig;
  const std::string name = Create(rig, ForeignFiles(rig)).name();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker);
  const v1::Model first = Get(rig, name);
  BITWRIGHT_ASSERT_OK(rig.models->Delete(kCaller, name));
  const v1::Model again = Create(rig, ForeignFiles(rig));
  EXPECT_EQ(again.state(), v1::Model::READY);
  EXPECT_EQ(again.imported().SerializeAsString(), first.imported().SerializeAsString());
  EXPECT_EQ(rig.RunAll(worker), 0);
}

TEST(Import, ItsErrorIsThatOfTheModel) {
  Rig rig;
  const std::string name = Create(rig, ForeignFiles(rig)).name();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker, 1);
  BITWRIGHT_ASSERT_OK(rig.FailLease(worker, rig.Lease(worker), absl::InvalidArgumentError("no such type"), false));
  EXPECT_EQ(Get(rig, name).state(), v1::Model::REJECTED);
  EXPECT_EQ(Get(rig, name).error().message(), "no such type");
  EXPECT_FALSE(Get(rig, name).has_imported());
}

// A lost output of the import is made again.
TEST(Import, WhatIsLostIsMadeAgain) {
  Rig rig;
  const std::string name = Create(rig, ForeignFiles(rig)).name();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker, 2);
  const v1::Lease lease = rig.Lease(worker);
  ASSERT_EQ(lease.spec().kind(), "inspect");
  const BlobDigest lost = *FromProto(lease.spec().inputs(0).digest());
  BITWRIGHT_ASSERT_OK(rig.blobs->Remove(lost));
  BITWRIGHT_ASSERT_OK(rig.FailLease(worker, lease, BlobNotFoundError(lost), true));
  rig.Pass(6);
  EXPECT_EQ(rig.RunAll(rig.AddWorker()), 2) << "the import, and what reads of it";
  EXPECT_EQ(Get(rig, name).state(), v1::Model::READY);
}

}  // namespace
}  // namespace bitwright::server
