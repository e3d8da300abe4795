#include "proto/transfer/blob_reader.h"

#include <grpcpp/channel.h>

#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/contract/names.h"
#include "proto/transfer/grpc_calls.h"

namespace bitwright {

namespace bytestream = google::bytestream;

struct BlobReader::Call {
  Call(const TransferContext& context, const bytestream::ReadRequest& request, int64_t bytes)
      : attempt(context.cancel, context.policy.StreamLimit(bytes)),
        stub(bytestream::ByteStream::NewStub(context.channel)),
        reader(stub->Read(attempt.context(), request)) {}
  ~Call() {
    if (finished) return;
    attempt.context()->TryCancel();
    (void)reader->Finish();
  }

  Attempt attempt;
  const std::unique_ptr<bytestream::ByteStream::Stub> stub;
  const std::unique_ptr<grpc::ClientReader<bytestream::ReadResponse>> reader;
  bool finished = false;
};

BlobReader::BlobReader(const TransferContext& context, const BlobDigest& blob, int64_t offset, int64_t bytes)
    : context_(context) {
  bytestream::ReadRequest request;
  request.set_resource_name(ReadName(blob));
  request.set_read_offset(offset);
  request.set_read_limit(bytes);
  call_ = std::make_unique<Call>(context, request, bytes);
}

BlobReader::~BlobReader() = default;

absl::StatusOr<std::string> BlobReader::Next() {
  bytestream::ReadResponse response;
  while (!call_->finished && call_->reader->Read(&response)) {
    if (!response.data().empty()) return std::move(*response.mutable_data());
  }
  if (call_->finished) return std::string();
  call_->finished = true;
  const absl::Status status = FromAttempt(call_->reader->Finish(), context_.cancel);
  if (!status.ok()) return status;
  return std::string();
}

}  // namespace bitwright
