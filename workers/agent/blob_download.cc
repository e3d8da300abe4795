#include "workers/agent/blob_download.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/grpc_status.h"
#include "proto/contract/names.h"
#include "workers/agent/agent_errors.h"
#include "workers/agent/transfer_deadline.h"

namespace bitwright::worker {

BlobDownload::BlobDownload(Stub& stub, const BlobDigest& digest, const std::string& path, OwnedFd fd)
    : stub_(&stub), digest_(digest), path_(path), fd_(std::move(fd)) {}

absl::StatusOr<BlobDownload> BlobDownload::Open(Stub& stub, const BlobDigest& digest, const std::string& path) {
  const std::string part = path + ".part";
  OwnedFd fd(::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (fd.get() < 0) return FileFailed(part, "opened", errno);
  BlobDownload download(stub, digest, path, std::move(fd));
  ABSL_RETURN_IF_ERROR(download.TakeUp());
  return download;
}

absl::Status BlobDownload::TakeUp() {
  std::vector<char> buffer(1 << 20);
  while (true) {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileFailed(path_ + ".part", "read", errno);
    if (got == 0) break;
    hash_.Update(buffer.data(), static_cast<size_t>(got));
    received_ += got;
  }
  if (received_ <= digest_.size_bytes) return absl::OkStatus();
  if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0) {
    return FileFailed(path_ + ".part", "emptied", errno);
  }
  hash_ = Sha256();
  received_ = 0;
  return absl::OkStatus();
}

absl::Status BlobDownload::Attempt(StopSignal& stop) {
  if (received_ < digest_.size_bytes) ABSL_RETURN_IF_ERROR(Receive(stop));
  return Publish();
}

absl::Status BlobDownload::Receive(StopSignal& stop) {
  google::bytestream::ReadRequest request;
  request.set_resource_name(ReadName(digest_));
  request.set_read_offset(received_);
  grpc::ClientContext context;
  context.set_deadline(TransferDeadline(digest_.size_bytes));
  const StopSignal::Hook hook(stop, [&] { context.TryCancel(); });
  const auto reader = stub_->Read(&context, request);
  google::bytestream::ReadResponse response;
  absl::Status written;
  while (written.ok() && reader->Read(&response)) written = Append(response.data());
  if (!written.ok()) context.TryCancel();
  const absl::Status status = FromGrpc(reader->Finish());
  ABSL_RETURN_IF_ERROR(written);
  ABSL_RETURN_IF_ERROR(status);
  if (received_ < digest_.size_bytes) return absl::UnavailableError("the server ended the download before its end");
  return absl::OkStatus();
}

absl::Status BlobDownload::Append(const std::string& data) {
  if (static_cast<int64_t>(data.size()) > digest_.size_bytes - received_) {
    failed_ = true;
    ::unlink((path_ + ".part").c_str());
    return DownloadCorrupt(digest_.sha256);
  }
  for (size_t done = 0; done < data.size();) {
    const ssize_t put = ::write(fd_.get(), data.data() + done, data.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      failed_ = true;
      return FileFailed(path_ + ".part", "written", errno);
    }
    hash_.Update(data.data() + done, static_cast<size_t>(put));
    received_ += put;
    done += static_cast<size_t>(put);
  }
  return absl::OkStatus();
}

absl::Status BlobDownload::Publish() {
  const std::string part = path_ + ".part";
  failed_ = true;  // whatever happens from here on, another call would not change it
  if (hash_.Finish() != digest_.sha256) {
    ::unlink(part.c_str());
    return DownloadCorrupt(digest_.sha256);
  }
  if (::rename(part.c_str(), path_.c_str()) != 0) return FileFailed(path_, "published", errno);
  return absl::OkStatus();
}

}  // namespace bitwright::worker
