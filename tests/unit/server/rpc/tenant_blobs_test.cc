// Blobs of several tenants over the wire: nobody learns of another's, bytes are stored once, and workers serve all.
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "proto/base/log.h"
#include "proto/contract/names.h"
#include "proto/contract/task_names.h"
#include "server/rpc/rpc_server.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/raw_calls.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

class FixedAuthenticator final : public Authenticator {
 public:
  explicit FixedAuthenticator(Principal principal) : principal_(std::move(principal)) {}
  absl::StatusOr<Principal> Authenticate(const Credentials&) const override { return principal_; }

 private:
  Principal principal_;
};

// One server behind several doors, each for one principal.
class TenantBlobsTest : public ::testing::Test {
 protected:
  RawCalls& As(const Principal& principal) {
    Door& door = doors_[principal.tenant + std::to_string(principal.roles.Has(Role::kWorker)) +
                        std::to_string(principal.roles.Has(Role::kSubmitter))];
    if (door.calls != nullptr) return *door.calls;
    door.authenticator = std::make_unique<FixedAuthenticator>(principal);
    const RpcParts parts{.blobs = *rig_.blobs,
                         .held = *rig_.held,
                         .disk = disk_,
                         .models = *rig_.models,
                         .jobs = *rig_.jobs,
                         .tasks = *rig_.tasks,
                         .workers = workers_,
                         .cache = cache_,
                         .tenants = *rig_.tenants,
                         .recipes = *rig_.recipes,
                         .capabilities = {},
                         .scheduler = *rig_.scheduler,
                         .clock = clock_,
                         .authenticator = *door.authenticator,
                         .audit = audit_,
                         .metrics = *rig_.metrics,
                         .heartbeat = absl::Seconds(3)};
    auto server = RpcServer::Start(parts, "unix:" + (rig_.dir / ("door" + std::to_string(doors_.size()))));
    CHECK(server.ok()) << server.status().ToString();
    door.server = *std::move(server);
    door.calls = std::make_unique<RawCalls>(door.server->address());
    return *door.calls;
  }
  RawCalls& Tenant(const std::string& tenant) {
    return As({.name = "user", .tenant = tenant, .roles = {Role::kSubmitter}});
  }
  RawCalls& Worker() { return As({.name = "worker", .roles = {Role::kWorker}}); }

  bool IsMissing(RawCalls& calls, const BlobDigest& digest) {
    v1::FindMissingBlobsRequest request;
    *request.add_digests() = ToProto(digest);
    const auto response =
        calls.Call<v1::FindMissingBlobsResponse>(*calls.blobs, &v1::BlobService::Stub::FindMissingBlobs, request);
    EXPECT_THAT(response.status(), IsOk());
    return response.ok() && response->missing_size() == 1;
  }
  absl::StatusOr<google::bytestream::QueryWriteStatusResponse> Query(RawCalls& calls, const std::string& uuid,
                                                                     const BlobDigest& digest) {
    google::bytestream::QueryWriteStatusRequest request;
    request.set_resource_name(UploadNameText({uuid, digest}));
    return calls.Call<google::bytestream::QueryWriteStatusResponse>(
        *calls.bytes, &google::bytestream::ByteStream::Stub::QueryWriteStatus, request);
  }
  int64_t BytesOf(const std::string& tenant) { return rig_.tenants->Get(kCaller, tenant)->usage.bytes; }
  size_t Partials() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(rig_.dir / "uploads")) ++count;
    return count;
  }

  struct Door {
    std::unique_ptr<FixedAuthenticator> authenticator;
    std::unique_ptr<RpcServer> server;
    std::unique_ptr<RawCalls> calls;
  };
  SystemClock clock_;
  Rig rig_;
  WorkerResources workers_{*rig_.scheduler, clock_};
  CacheEntries cache_{*rig_.store};
  AuditLog audit_;
  DiskWatch disk_{[] { return DiskSpace{.free_bytes = 1 << 30, .total_bytes = 1 << 30}; }, {}, {}};
  std::map<std::string, Door> doors_;
};

TEST_F(TenantBlobsTest, NobodyLearnsOfAnothersBlob) {
  const BlobDigest digest = Tenant("a").Put("the bytes of a");
  EXPECT_FALSE(IsMissing(Tenant("a"), digest));
  EXPECT_TRUE(IsMissing(Tenant("b"), digest));
  EXPECT_THAT(Tenant("b").Read(ReadName(digest)), HasReason("BLOB_NOT_FOUND"));
  EXPECT_EQ(*Tenant("a").Read(ReadName(digest)), "the bytes of a");
  EXPECT_TRUE(Query(Tenant("a"), "put-1", digest)->complete());
  EXPECT_THAT(Query(Tenant("b"), "put-1", digest), HasReason("UPLOAD_UNKNOWN"));
}

TEST_F(TenantBlobsTest, WhoBringsABlobThatOthersHoldMustBringAllOfIt) {
  const std::string data(3'000'000, 's');
  const BlobDigest digest = Tenant("a").Put(data);
  EXPECT_EQ(*Tenant("b").Upload("u", digest, data.substr(0, 1'000'000), 0, false), 1'000'000) << "no early end";
  EXPECT_TRUE(IsMissing(Tenant("b"), digest));
  EXPECT_EQ(Query(Tenant("b"), "u", digest)->committed_size(), 1'000'000);
  EXPECT_THAT(Tenant("b").Upload("v", digest, std::string(3'000'000, 'x')), HasReason("BLOB_DIGEST_MISMATCH"));
  EXPECT_EQ(*Tenant("b").Upload("u", digest, data.substr(1'000'000), 1'000'000), 3'000'000);
  EXPECT_FALSE(IsMissing(Tenant("b"), digest));
  EXPECT_TRUE(*Tenant("b").Read(ReadName(digest)) == data);
  EXPECT_EQ(Partials(), 0u) << "the second copy is gone";
  EXPECT_EQ(BytesOf("a"), 3'000'000);
  EXPECT_EQ(BytesOf("b"), 3'000'000);
  EXPECT_EQ(*Tenant("b").Upload("w", digest, "", 0, false), 3'000'000) << "its own by now";
}

TEST_F(TenantBlobsTest, NobodyGoesOnWithAnUploadOfAnother) {
  const std::string data(2'000'000, 'p');
  const BlobDigest digest = DigestOf(data);
  ASSERT_OK_AND_ASSIGN(const int64_t sent, Tenant("a").Upload("u", digest, data.substr(0, 1'500'000), 0, false));
  EXPECT_EQ(sent, 1'500'000);
  EXPECT_THAT(Query(Tenant("b"), "u", digest), HasReason("UPLOAD_UNKNOWN"));
  EXPECT_THAT(Tenant("b").Upload("u", digest, data.substr(1'500'000), 1'500'000), HasReason("UPLOAD_OFFSET_WRONG"));
  EXPECT_EQ(*Tenant("a").Upload("u", digest, data.substr(1'500'000), 1'500'000), 2'000'000);
}

TEST_F(TenantBlobsTest, ABlobThatAnotherBringsMeanwhileEndsNoUpload) {
  const std::string data(2'000'000, 'm');
  const BlobDigest digest = DigestOf(data);
  ASSERT_OK_AND_ASSIGN(const int64_t sent, Tenant("b").Upload("u", digest, data.substr(0, 500'000), 0, false));
  Tenant("a").Put(data);
  ASSERT_OK_AND_ASSIGN(const int64_t more, Tenant("b").Upload("u", digest, data.substr(sent, 500'000), sent, false));
  EXPECT_EQ(more, 1'000'000);
  EXPECT_EQ(*Tenant("b").Upload("u", digest, data.substr(1'000'000), 1'000'000), 2'000'000);
  EXPECT_FALSE(IsMissing(Tenant("b"), digest));
}

TEST_F(TenantBlobsTest, AWorkerReadsAllAndWhatItBringsIsNobodys) {
  const BlobDigest input = Tenant("a").Put("an input");
  EXPECT_EQ(*Worker().Read(ReadName(input)), "an input");
  EXPECT_FALSE(IsMissing(Worker(), input));
  const BlobDigest output = Worker().Put("an output");
  EXPECT_FALSE(IsMissing(Worker(), output));
  EXPECT_TRUE(IsMissing(Tenant("a"), output));
  EXPECT_THAT(Tenant("a").Read(ReadName(output)), HasReason("BLOB_NOT_FOUND"));
  EXPECT_EQ(BytesOf("a"), input.size_bytes);
  BITWRIGHT_ASSERT_OK(
      rig_.store->Write([&](Transaction& tx) { return tx.AddReferences("jobs/of-a/tasks", "a", {output}); }));
  EXPECT_EQ(*Tenant("a").Read(ReadName(output)), "an output") << "named by a job of the tenant";
  EXPECT_FALSE(IsMissing(Tenant("a"), output));
  EXPECT_TRUE(IsMissing(Tenant("b"), output));
}

TEST_F(TenantBlobsTest, WhoDoesBothServesOthersAndBringsToItsOwnTenant) {
  RawCalls& both = As({.name = "both", .tenant = "a", .roles = Roles::All()});
  const BlobDigest theirs = Tenant("b").Put("an input of b");
  EXPECT_EQ(*both.Read(ReadName(theirs)), "an input of b") << "a task of b may need it";
  EXPECT_TRUE(IsMissing(both, theirs)) << "it is not a's";
  const BlobDigest own = both.Put("an output");
  EXPECT_FALSE(IsMissing(Tenant("a"), own));
  EXPECT_TRUE(IsMissing(Tenant("b"), own));
}

TEST_F(TenantBlobsTest, ATenantThatHasItsBytesBringsNoMore) {
  BITWRIGHT_ASSERT_OK(rig_.tenants->SetLimits(kCaller, "a", {.bytes = 1'000'000}));
  const BlobDigest first = Tenant("a").Put(std::string(600'000, '1'));
  const std::string data(500'000, '2');
  EXPECT_THAT(Tenant("a").Upload("u", DigestOf(data), data.substr(0, 10), 0, false), HasReason("QUOTA_EXCEEDED"))
      << "before anything is received";
  EXPECT_EQ(Partials(), 0u);
  BITWRIGHT_EXPECT_OK(Tenant("b").Upload("u", DigestOf(data), data)) << "another tenant's";
  EXPECT_EQ(*Tenant("a").Upload("again", first, "", 0, false), 600'000) << "what it has is no more of it";
  EXPECT_THAT(rig_.metrics->Text(), ::testing::HasSubstr("bitwright_quota_refusals_total{quota=\"bytes\"} 1"));
  BITWRIGHT_EXPECT_OK(Worker().Upload("w", DigestOf(std::string(2'000'000, '3')), std::string(2'000'000, '3')));
  RawCalls& both = As({.name = "both", .tenant = "a", .roles = Roles::All()});
  BITWRIGHT_EXPECT_OK(both.Upload("w", DigestOf(data), data)) << "it may be a result, without which a job never ends";
}

}  // namespace
}  // namespace bitwright::server
