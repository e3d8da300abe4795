#include <atomic>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "proto/contract/names.h"
#include "server/app/server.h"
#include "server/blobs/disk_blobs.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/raw_calls.h"

namespace bitwright::server {
namespace {

using google::bytestream::ByteStream;
using google::bytestream::QueryWriteStatusRequest;
using google::bytestream::QueryWriteStatusResponse;

class ByteStreamTest : public ::testing::Test {
 protected:
  ByteStreamTest() {
    Options options;
    options.data_dir = dir_ / "data";
    options.listen = "unix:" + (dir_ / "socket");
    options.metrics_listen = "off";
    options.workers = 0;
    const auto fault = [this](std::string_view operation, const std::string&) {
      return operation == "write" ? write_error_.load() : 0;
    };
    auto server = Server::Start(options, clock_, {.disk_fault = fault});
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
    client_ = std::make_unique<RawCalls>(server_->address());
  }

  absl::StatusOr<QueryWriteStatusResponse> Query(const std::string& uuid, const BlobDigest& digest) {
    QueryWriteStatusRequest request;
    request.set_resource_name(UploadNameText({uuid, digest}));
    return client_->Call<QueryWriteStatusResponse>(*client_->bytes, &ByteStream::Stub::QueryWriteStatus, request);
  }

  bool OnDisk(const BlobDigest& digest) {
    return std::filesystem::exists(dir_ / ("data/blobs/" + BlobPath(digest.sha256)));
  }
  size_t Partials() {
    return std::distance(std::filesystem::directory_iterator(dir_ / "data/uploads"),
                         std::filesystem::directory_iterator());
  }

  TempDir dir_;
  SystemClock clock_;
  std::atomic<int> write_error_{0};
  std::unique_ptr<Server> server_;
  std::unique_ptr<RawCalls> client_;
};

TEST_F(ByteStreamTest, WhatIsWrittenCanBeRead) {
  std::string data(3'500'000, 'x');
  for (size_t i = 0; i < data.size(); i += 7) data[i] = static_cast<char>(i * 31);
  const BlobDigest digest = client_->Put(data);
  EXPECT_TRUE(OnDisk(digest));
  EXPECT_EQ(Partials(), 0u);
  ASSERT_OK_AND_ASSIGN(const std::string whole, client_->Read(ReadName(digest)));
  EXPECT_TRUE(whole == data);
  ASSERT_OK_AND_ASSIGN(const std::string part, client_->Read(ReadName(digest), 1'200'000, 1'500'000));
  EXPECT_TRUE(part == data.substr(1'200'000, 1'500'000));
  ASSERT_OK_AND_ASSIGN(const std::string nothing, client_->Read(ReadName(digest), digest.size_bytes));
  EXPECT_EQ(nothing, "");
}

TEST_F(ByteStreamTest, AnEmptyBlobIsABlob) {
  const BlobDigest digest = client_->Put("");
  ASSERT_OK_AND_ASSIGN(const std::string data, client_->Read(ReadName(digest)));
  EXPECT_EQ(data, "");
}

TEST_F(ByteStreamTest, OtherBytesThanDeclaredAreRefusedAndDiscarded) {
  const BlobDigest digest = DigestOf("right");
  EXPECT_THAT(client_->Upload("a", digest, "wrong"), HasReason("BLOB_DIGEST_MISMATCH"));
  EXPECT_THAT(client_->Upload("b", digest, "right and more"), HasReason("BLOB_DIGEST_MISMATCH"));
  EXPECT_THAT(client_->Upload("c", digest, "rig"), HasReason("BLOB_DIGEST_MISMATCH")) << "too short";
  EXPECT_FALSE(OnDisk(digest));
  EXPECT_EQ(Partials(), 0u);
  BITWRIGHT_EXPECT_OK(client_->Upload("d", digest, "right"));
}

TEST_F(ByteStreamTest, ABrokenUploadResumesWhereItWas) {
  const std::string data(2'500'000, 'r');
  const BlobDigest digest = DigestOf(data);
  EXPECT_THAT(Query("u", digest), HasReason("UPLOAD_UNKNOWN"));
  ASSERT_OK_AND_ASSIGN(const int64_t sent, client_->Upload("u", digest, data.substr(0, 1'700'000), 0, false));
  EXPECT_EQ(sent, 1'700'000);
  ASSERT_OK_AND_ASSIGN(const auto held, Query("u", digest));
  EXPECT_EQ(held.committed_size(), 1'700'000);
  EXPECT_FALSE(held.complete());
  EXPECT_THAT(client_->Upload("u", digest, data.substr(1'000'000), 1'000'000), HasReason("UPLOAD_OFFSET_WRONG"));
  ASSERT_OK_AND_ASSIGN(const int64_t all, client_->Upload("u", digest, data.substr(1'700'000), 1'700'000));
  EXPECT_EQ(all, 2'500'000);
  ASSERT_OK_AND_ASSIGN(const auto done, Query("u", digest));
  EXPECT_TRUE(done.complete());
}

TEST_F(ByteStreamTest, AnUploadCutOffByTheClientCanBeResumed) {
  const std::string data(2'500'000, 'c');
  const BlobDigest digest = DigestOf(data);
  {
    const auto context = RawCalls::Context();
    google::bytestream::WriteResponse response;
    const auto writer = client_->bytes->Write(context.get(), &response);
    google::bytestream::WriteRequest request;
    request.set_resource_name(UploadNameText({"cut", digest}));
    request.set_data(data.substr(0, 1'000'000));
    ASSERT_TRUE(writer->Write(request));
    context->TryCancel();
    (void)writer->Finish();
  }
  // The server notices the end of the call in its own time; until then the name is busy.
  absl::StatusOr<int64_t> committed = absl::UnavailableError("not tried yet");
  for (int i = 0; i < 1000 && (!committed.ok()); ++i) {
    const auto held = Query("cut", digest);
    const int64_t at = held.ok() ? held->committed_size() : 0;
    committed = client_->Upload("cut", digest, data.substr(at), at);
  }
  BITWRIGHT_EXPECT_OK(committed);
}

TEST_F(ByteStreamTest, ABlobThatIsHeldEndsTheUploadEarly) {
  const std::string data(5'000'000, 'e');
  const BlobDigest digest = client_->Put(data);
  ASSERT_OK_AND_ASSIGN(const int64_t committed, client_->Upload("again", digest, data.substr(0, 10), 0, false));
  EXPECT_EQ(committed, digest.size_bytes);
}

TEST_F(ByteStreamTest, ABlobThatAppearsMeanwhileEndsTheUploadEarly) {
  const std::string data(3'000'000, 'm');
  const BlobDigest digest = DigestOf(data);
  const auto context = RawCalls::Context();
  google::bytestream::WriteResponse response;
  const auto writer = client_->bytes->Write(context.get(), &response);
  google::bytestream::WriteRequest request;
  request.set_resource_name(UploadNameText({"slow", digest}));
  request.set_data(data.substr(0, 1'000'000));
  ASSERT_TRUE(writer->Write(request));
  while (!Query("slow", digest).ok()) {
  }
  client_->Put(data);
  request.set_write_offset(1'000'000);
  writer->Write(request);
  EXPECT_TRUE(writer->Finish().ok()) << "without finish_write and without the rest";
  EXPECT_EQ(response.committed_size(), digest.size_bytes);
  EXPECT_EQ(Partials(), 0u);
}

TEST_F(ByteStreamTest, AFullDiskIsSaidAndLeavesNothing) {
  const BlobDigest digest = DigestOf("some bytes");
  write_error_ = ENOSPC;
  const auto status = client_->Upload("f", digest, "some bytes");
  EXPECT_THAT(status, HasReason("DISK_FULL"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(Partials(), 0u);
  write_error_ = 0;
  BITWRIGHT_EXPECT_OK(client_->Upload("f", digest, "some bytes"));
}

TEST_F(ByteStreamTest, WrongNamesAndOffsetsAreRefused) {
  EXPECT_THAT(client_->Read("blobs/abc/3"), HasReason("DIGEST_INVALID"));
  EXPECT_THAT(client_->Read("files/x"), HasReason("NAME_INVALID"));
  EXPECT_THAT(client_->Read(ReadName(DigestOf("never"))), HasReason("BLOB_NOT_FOUND"));
  const BlobDigest digest = client_->Put("12345");
  EXPECT_THAT(client_->Read(ReadName(digest), 6), HasReason("READ_OFFSET_INVALID"));
  EXPECT_THAT(client_->Read(ReadName(digest), -1), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(client_->Read(ReadName(digest), 0, -1), HasReason("READ_LIMIT_INVALID"));
  EXPECT_THAT(client_->Read(ReadName({digest.sha256, 4})), HasReason("BLOB_NOT_FOUND")) << "another size";
  EXPECT_THAT(client_->Upload("../x", digest, "12345"), HasReason("NAME_INVALID"));
}

TEST_F(ByteStreamTest, ManyUploadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> ok{0};
  for (int i = 0; i < 24; ++i) {
    threads.emplace_back([&, i] {
      RawCalls own(server_->address());
      const std::string data(1'500'000 + i % 3, static_cast<char>('a' + i % 3));
      ok += own.Upload("many-" + std::to_string(i), DigestOf(data), data, 0, true, 100'000).ok();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ok, 24);
  EXPECT_EQ(Partials(), 0u);
}

TEST_F(ByteStreamTest, FindMissingBlobsAnswersInOrderWithoutDuplicates) {
  const BlobDigest held = client_->Put("held");
  const BlobDigest a = DigestOf("a");
  const BlobDigest b = DigestOf("b");
  v1::FindMissingBlobsRequest request;
  for (const BlobDigest& digest : {b, held, a, b}) *request.add_digests() = ToProto(digest);
  ASSERT_OK_AND_ASSIGN(const auto response, client_->Call<v1::FindMissingBlobsResponse>(
                                                *client_->blobs, &v1::BlobService::Stub::FindMissingBlobs, request));
  ASSERT_EQ(response.missing_size(), 2);
  EXPECT_EQ(response.missing(0).sha256(), b.sha256);
  EXPECT_EQ(response.missing(1).sha256(), a.sha256);
  request.add_digests()->set_sha256("zz");
  EXPECT_THAT(
      client_->Call<v1::FindMissingBlobsResponse>(*client_->blobs, &v1::BlobService::Stub::FindMissingBlobs, request),
      HasReason("DIGEST_INVALID"));
}

}  // namespace
}  // namespace bitwright::server
