#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "client/api/local_file.h"
#include "client/api/retry_policy.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/base/cancel_token.h"
#include "proto/contract/digest.h"

// Used by the .cc files of the gRPC connection only: whole transfers over google.bytestream, resumed when broken off.
namespace bitwright::client {

// As Connection::Upload.
absl::Status UploadBlob(google::bytestream::ByteStream::StubInterface& stub, const LocalFile& file,
                        const BlobDigest& digest, RetryLoop retry, const CancelToken& cancel,
                        const std::function<void(int64_t)>& on_committed);

// As Connection::Download.
absl::Status DownloadBlob(google::bytestream::ByteStream::StubInterface& stub, const BlobDigest& digest, int64_t offset,
                          RetryLoop retry, const CancelToken& cancel,
                          const std::function<absl::Status(std::string_view)>& sink);

}  // namespace bitwright::client
