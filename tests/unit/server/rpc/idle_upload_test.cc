// Clients that stop in the middle.
#include "proto/base/errors.h"
#include "proto/contract/names.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/fake_clock.h"
#include "tests/unit/server/support/test_server.h"

namespace bitwright::server {
namespace {

using google::bytestream::ByteStream;
using google::bytestream::QueryWriteStatusRequest;
using google::bytestream::QueryWriteStatusResponse;
using google::bytestream::WriteRequest;
using google::bytestream::WriteResponse;

// A stream that has sent the beginning of a blob, which has arrived, and goes on saying nothing.
struct SilentUpload {
  SilentUpload(RawCalls& calls, const std::string& uuid, const BlobDigest& digest, const std::string& beginning)
      : writer(calls.bytes->Write(context.get(), &response)) {
    WriteRequest request;
    request.set_resource_name(UploadNameText({uuid, digest}));
    request.set_data(beginning);
    EXPECT_TRUE(writer->Write(request));
    // Asked, not tried with a second upload, which could be there first and keep this one out.
    QueryWriteStatusRequest question;
    question.set_resource_name(request.resource_name());
    absl::StatusOr<QueryWriteStatusResponse> answer;
    do {
      answer = calls.Call<QueryWriteStatusResponse>(*calls.bytes, &ByteStream::Stub::QueryWriteStatus, question);
    } while (ErrorReason(answer.status()) == "UPLOAD_UNKNOWN" ||
             (answer.ok() && answer->committed_size() < static_cast<int64_t>(beginning.size())));
    BITWRIGHT_EXPECT_OK(answer);
  }
  std::unique_ptr<grpc::ClientContext> context = RawCalls::Context(60);
  WriteResponse response;
  std::unique_ptr<grpc::ClientWriter<WriteRequest>> writer;
};

TEST(IdleUpload, LetsGoOfItsNameForTheNextStream) {
  FakeClock clock;
  TestServer test(clock);
  const std::string data(2'500'000, 'd');
  const BlobDigest digest = DigestOf(data);
  SilentUpload silent(*test.calls, "u", digest, data.substr(0, 1'000'000));
  absl::StatusOr<int64_t> resumed = test.calls->Upload("u", digest, data.substr(1'000'000), 1'000'000);
  EXPECT_THAT(resumed, HasReason("UPLOAD_BUSY"));
  clock.Advance(21);
  while (ErrorReason(resumed.status()) == "UPLOAD_BUSY") {
    resumed = test.calls->Upload("u", digest, data.substr(1'000'000), 1'000'000);
  }
  BITWRIGHT_EXPECT_OK(resumed);
  EXPECT_THAT(FromGrpc(silent.writer->Finish()), HasReason("UPLOAD_IDLE"));
}

TEST(Uploads, AreBoundedInNumber) {
  SystemClock clock;
  TestServer test(clock, {}, [](Options& options) { options.uploads.most_open = 1; });
  const BlobDigest digest = DigestOf("some bytes");
  {
    SilentUpload silent(*test.calls, "u", digest, "some");
    EXPECT_THAT(test.calls->Upload("v", DigestOf("other"), "other"), HasReason("UPLOADS_FULL"));
    silent.context->TryCancel();
    (void)silent.writer->Finish();
  }
  absl::StatusOr<int64_t> after = absl::UnavailableError("");
  do {
    after = test.calls->Upload("w", DigestOf("other"), "other");
  } while (ErrorReason(after.status()) == "UPLOADS_FULL");
  BITWRIGHT_EXPECT_OK(after);
}

}  // namespace
}  // namespace bitwright::server
