#include "proto/transfer/blob_upload.h"

#include <grpcpp/channel.h>

#include <algorithm>

#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/base/failpoint.h"
#include "proto/base/random_id.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "proto/transfer/grpc_calls.h"
#include "proto/transfer/transfer_errors.h"
#include "proto/transfer/write_call.h"

namespace bitwright {
namespace {

namespace bytestream = google::bytestream;

constexpr int kIdDigits = 32;
// Uploads of so few bytes are not worth the question how far an earlier process came.
constexpr int64_t kUnaskedBytes = 4 * limits::kStreamChunkBytes;

// Of a slice that nobody else has yet.
char* Begin(const grpc::Slice& slice) {
  return const_cast<char*>(reinterpret_cast<const char*>(slice.begin()));  // gRPC has no other way to fill one
}

class BlobUpload {
 public:
  BlobUpload(const TransferContext& context, const LocalFile& file, const BlobDigest& digest,
             const UploadOptions& options)
      : context_(context),
        file_(file),
        options_(options),
        stub_(bytestream::ByteStream::NewStub(context.channel)),
        upload_{options.id.empty() ? RandomId(kIdDigits) : options.id, digest},
        ask_(!options.id.empty() && file.size_bytes() > kUnaskedBytes) {}

  absl::Status Run() {
    bool random_id = options_.id.empty();
    for (RetryLoop retry = context_.Retry();;) {
      absl::Status status = SendOnce(retry);
      if (status.ok()) Tell(file_.size_bytes());
      if (status.ok() || !file_error_.ok()) return status;
      ask_ = true;
      // A half-finished upload of this name may be another process's, or older than the file: once, begin a new one.
      if (absl::IsInvalidArgument(status) && !random_id) {
        random_id = true;
        upload_.uuid = RandomId(kIdDigits);
        continue;
      }
      status = retry.WaitAfter(status);
      if (retry.stalled()) return TransferStalledError(upload_.digest, status);
      ABSL_RETURN_IF_ERROR(status);
    }
  }

 private:
  void Tell(int64_t bytes) const {
    if (options_.on_committed) options_.on_committed(bytes);
  }

  // One stream, preceded by the question where to go on.
  absl::Status SendOnce(RetryLoop& retry) {
    int64_t offset = 0;
    if (ask_) {
      ABSL_ASSIGN_OR_RETURN(const auto held, Query());
      if (held.complete()) return absl::OkStatus();
      offset = std::clamp<int64_t>(held.committed_size(), 0, file_.size_bytes());
    }
    if (offset > furthest_) {
      furthest_ = offset;
      retry.Progressed();
    }
    return SendFrom(offset);
  }

  absl::StatusOr<bytestream::QueryWriteStatusResponse> Query() {
    Attempt attempt(context_.cancel, kUnaryLimit);
    bytestream::QueryWriteStatusRequest request;
    request.set_resource_name(UploadNameText(upload_));
    bytestream::QueryWriteStatusResponse response;
    const absl::Status status =
        FromAttempt(stub_->QueryWriteStatus(attempt.context(), request, &response), context_.cancel);
    if (absl::IsNotFound(status)) return bytestream::QueryWriteStatusResponse();
    ABSL_RETURN_IF_ERROR(status);
    return response;
  }

  absl::Status SendFrom(int64_t offset) {
    Attempt attempt(context_.cancel, context_.policy.StreamLimit(file_.size_bytes()));
    bytestream::WriteResponse response;
    const auto writer = OpenWriteCall(*context_.channel, attempt.context(), &response);
    bytestream::WriteRequest request;
    request.set_resource_name(UploadNameText(upload_));
    for (bool last = false; !last;) {
      const int64_t size = std::min<int64_t>(limits::kStreamChunkBytes, file_.size_bytes() - offset);
      const grpc::Slice data(static_cast<size_t>(size));
      file_error_ = file_.Read(offset, Begin(data), data.size());
      if (!file_error_.ok()) break;
      request.set_write_offset(offset);
      last = offset + size == file_.size_bytes();
      request.set_finish_write(last);
      Failpoint("transfer.chunk");
      // False: the server ended the call, perhaps early because it has the blob by now. Finish tells.
      if (!writer->Write(WriteCallMessage(request, data))) break;
      request.clear_resource_name();
      offset += size;
      Tell(offset);
    }
    if (!file_error_.ok()) {
      attempt.context()->TryCancel();
      (void)writer->Finish();
      return file_error_;
    }
    writer->WritesDone();
    const absl::Status status = FromAttempt(writer->Finish(), context_.cancel);
    // A large file on a slow line outlasts one stream; the next goes on where it was.
    if (absl::IsDeadlineExceeded(status)) return StreamEndedError();
    ABSL_RETURN_IF_ERROR(status);
    if (response.committed_size() != file_.size_bytes()) {
      return UploadCutError(response.committed_size(), file_.size_bytes());
    }
    return absl::OkStatus();
  }

  const TransferContext& context_;
  const LocalFile& file_;
  const UploadOptions& options_;
  const std::unique_ptr<bytestream::ByteStream::Stub> stub_;
  UploadName upload_;
  bool ask_;
  int64_t furthest_ = 0;
  absl::Status file_error_;
};

}  // namespace

absl::Status UploadBlob(const TransferContext& context, const LocalFile& file, const BlobDigest& digest,
                        const UploadOptions& options) {
  return BlobUpload(context, file, digest, options).Run();
}

}  // namespace bitwright
