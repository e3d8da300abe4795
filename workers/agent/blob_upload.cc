#include "workers/agent/blob_upload.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <random>

#include "proto/base/status_macros.h"
#include "proto/contract/grpc_status.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "workers/agent/agent_errors.h"
#include "workers/agent/transfer_deadline.h"

namespace bitwright::worker {
namespace {

std::string NewUuid() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  std::string uuid;
  for (int i = 0; i < 32; ++i) uuid.push_back(kDigits[random() % 16]);
  return uuid;
}

}  // namespace

BlobUpload::BlobUpload(Stub& stub, const FileToUpload& file, OwnedFd fd)
    : stub_(&stub), file_(file), fd_(std::move(fd)), name_(UploadNameText({NewUuid(), file.digest})) {}

absl::StatusOr<BlobUpload> BlobUpload::Open(Stub& stub, const FileToUpload& file) {
  OwnedFd fd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) return OutputUnusable(file.path, "cannot be opened");
  if (!S_ISREG(info.st_mode)) return OutputUnusable(file.path, "is not a plain file");
  if (info.st_size != file.digest.size_bytes) return OutputUnusable(file.path, "has changed its size");
  return BlobUpload(stub, file, std::move(fd));
}

absl::Status BlobUpload::Attempt(StopSignal& stop) {
  if (broken_) ABSL_RETURN_IF_ERROR(Query(stop));
  if (complete_) return absl::OkStatus();
  broken_ = true;
  return Send(stop);
}

absl::Status BlobUpload::Query(StopSignal& stop) {
  google::bytestream::QueryWriteStatusRequest request;
  request.set_resource_name(name_);
  google::bytestream::QueryWriteStatusResponse response;
  grpc::ClientContext context;
  context.set_deadline(TransferDeadline(0));
  const StopSignal::Hook hook(stop, [&] { context.TryCancel(); });
  const absl::Status status = FromGrpc(stub_->QueryWriteStatus(&context, request, &response));
  if (status.code() == absl::StatusCode::kNotFound) {
    committed_ = 0;
    return absl::OkStatus();
  }
  if (status.ok()) {
    complete_ = response.complete();
    committed_ = std::clamp<int64_t>(response.committed_size(), 0, file_.digest.size_bytes);
  }
  return status;
}

bool BlobUpload::ReadChunk(int64_t offset, std::string& chunk) {
  chunk.resize(std::min<int64_t>(limits::kStreamChunkBytes, file_.digest.size_bytes - offset));
  for (size_t done = 0; done < chunk.size();) {
    const ssize_t got = ::pread(fd_.get(), chunk.data() + done, chunk.size() - done, offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

absl::Status BlobUpload::Send(StopSignal& stop) {
  google::bytestream::WriteResponse response;
  grpc::ClientContext context;
  context.set_deadline(TransferDeadline(file_.digest.size_bytes));
  const StopSignal::Hook hook(stop, [&] { context.TryCancel(); });
  const auto writer = stub_->Write(&context, &response);
  google::bytestream::WriteRequest request;
  request.set_resource_name(name_);
  int64_t offset = committed_;
  do {
    if (!ReadChunk(offset, *request.mutable_data())) {
      unreadable_ = true;
      context.TryCancel();
      break;
    }
    request.set_write_offset(offset);
    offset += static_cast<int64_t>(request.data().size());
    request.set_finish_write(offset == file_.digest.size_bytes);
    // False: the call has ended, perhaps early because the server has the blob by now. Finish tells.
    if (!writer->Write(request)) break;
    request.clear_resource_name();
  } while (offset < file_.digest.size_bytes);
  writer->WritesDone();
  const absl::Status status = FromGrpc(writer->Finish());
  if (unreadable_) return OutputUnusable(file_.path, "cannot be read");
  if (status.ok() && response.committed_size() != file_.digest.size_bytes) {
    return absl::UnavailableError("the server ended the upload before its end");
  }
  return status;
}

}  // namespace bitwright::worker
