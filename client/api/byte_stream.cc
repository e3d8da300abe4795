#include "client/api/byte_stream.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "client/api/client.h"
#include "client/api/grpc_calls.h"
#include "proto/base/errors.h"
#include "proto/base/random_id.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"

namespace bitwright::client {
namespace {

namespace bytestream = google::bytestream;
using Stub = bytestream::ByteStream::StubInterface;

// The same file of the same user on the same machine gets the same name, so that a new process continues an old upload.
std::string UploadId(const LocalFile& file, const BlobDigest& digest) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  std::error_code ignored;
  const std::string path = std::filesystem::absolute(file.path(), ignored).lexically_normal().string();
  return Sha256Hex(absl::StrCat(host, "\n", ::getuid(), "\n", path, "\n", digest.ToString())).substr(0, 32);
}

// Bytes that the server holds of an upload. Small files are not worth the question at first.
absl::StatusOr<int64_t> Committed(Stub& stub, const std::string& name, const CancelToken& cancel) {
  Attempt attempt(cancel, kUnaryTime);
  bytestream::QueryWriteStatusRequest request;
  request.set_resource_name(name);
  bytestream::QueryWriteStatusResponse response;
  const absl::Status status = FromAttempt(stub.QueryWriteStatus(attempt.context(), request, &response), cancel);
  if (absl::IsNotFound(status)) return 0;
  ABSL_RETURN_IF_ERROR(status);
  return response.committed_size();
}

// Sends the file from `offset`. OK only when the server holds the whole blob.
absl::Status SendFrom(Stub& stub, const LocalFile& file, const std::string& name, int64_t offset,
                      const CancelToken& cancel, const std::function<void(int64_t)>& on_sent) {
  Attempt attempt(cancel, kStreamTime);
  bytestream::WriteResponse response;
  const auto writer = stub.Write(attempt.context(), &response);
  bytestream::WriteRequest request;
  request.set_resource_name(name);
  absl::Status read = absl::OkStatus();
  bool last = false;
  while (!last) {
    const int64_t size = std::min<int64_t>(limits::kStreamChunkBytes, file.size_bytes() - offset);
    request.mutable_data()->resize(static_cast<size_t>(size));
    read = file.ReadAt(offset, request.mutable_data()->data(), static_cast<size_t>(size));
    if (!read.ok()) break;
    request.set_write_offset(offset);
    last = offset + size == file.size_bytes();
    request.set_finish_write(last);
    if (!writer->Write(request)) break;  // the server ended the call; Finish says why
    request.clear_resource_name();
    offset += size;
    if (on_sent) on_sent(offset);
  }
  if (!read.ok()) {
    attempt.context()->TryCancel();
    (void)writer->Finish();
    return read;
  }
  writer->WritesDone();
  const absl::Status status = FromAttempt(writer->Finish(), cancel);
  // A large file on a slow line outlasts one stream; the next goes on where it was.
  if (absl::IsDeadlineExceeded(status)) return absl::UnavailableError("the stream ended early");
  ABSL_RETURN_IF_ERROR(status);
  if (response.committed_size() != file.size_bytes()) {
    return absl::UnavailableError(
        absl::StrCat("the server took ", response.committed_size(), " of ", file.size_bytes(), " bytes"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status UploadBlob(Stub& stub, const LocalFile& file, const BlobDigest& digest, RetryLoop retry,
                        const CancelToken& cancel, const std::function<void(int64_t)>& on_committed) {
  UploadName upload{UploadId(file, digest), digest};
  bool fresh_name = false;
  bool ask = file.size_bytes() > 4 * limits::kStreamChunkBytes;
  int64_t furthest = 0;
  while (true) {
    const std::string name = UploadNameText(upload);
    absl::StatusOr<int64_t> offset = ask ? Committed(stub, name, cancel) : 0;
    absl::Status status = offset.status();
    if (offset.ok() && *offset > furthest) {
      furthest = *offset;
      retry.Progressed();
    }
    if (offset.ok()) {
      const int64_t from = std::clamp<int64_t>(*offset, 0, file.size_bytes());
      status = SendFrom(stub, file, name, from, cancel, on_committed);
    }
    if (status.ok()) {
      if (on_committed) on_committed(file.size_bytes());
      return status;
    }
    ask = true;
    // A half-finished upload of this name may be another process's, or older than the file: once, begin a new one.
    if (absl::IsInvalidArgument(status) && !fresh_name) {
      fresh_name = true;
      upload.uuid = RandomId(32);
      continue;
    }
    ABSL_RETURN_IF_ERROR(retry.WaitAfter(status));
  }
}

absl::Status DownloadBlob(Stub& stub, const BlobDigest& digest, int64_t offset, RetryLoop retry,
                          const CancelToken& cancel, const std::function<absl::Status(std::string_view)>& sink) {
  bytestream::ReadRequest request;
  request.set_resource_name(ReadName(digest));
  while (offset < digest.size_bytes) {
    Attempt attempt(cancel, kStreamTime);
    request.set_read_offset(offset);
    const auto reader = stub.Read(attempt.context(), request);
    bytestream::ReadResponse response;
    while (reader->Read(&response)) {
      std::string_view bytes = response.data();
      bytes = bytes.substr(0, static_cast<size_t>(digest.size_bytes - offset));
      if (const absl::Status sunk = sink(bytes); !sunk.ok()) {
        attempt.context()->TryCancel();
        (void)reader->Finish();
        return sunk;
      }
      offset += static_cast<int64_t>(bytes.size());
      retry.Progressed();
    }
    absl::Status status = FromAttempt(reader->Finish(), cancel);
    if (offset == digest.size_bytes) break;
    if (status.ok() || absl::IsDeadlineExceeded(status)) status = absl::UnavailableError("the stream ended early");
    ABSL_RETURN_IF_ERROR(retry.WaitAfter(status));
  }
  return absl::OkStatus();
}

}  // namespace bitwright::client
