#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proto/contract/digest.h"
#include "proto/transfer/transfer_context.h"

namespace bitwright {

// One stream of a blob's bytes, in order, as the server sends them; what breaks off is the caller's to go on with. Not
// thread-safe. The context outlives it.
class BlobReader {
 public:
  // Of bytes [offset, offset + bytes) of the blob. The stream begins here.
  BlobReader(const TransferContext& context, const BlobDigest& blob, int64_t offset, int64_t bytes);
  ~BlobReader();  // ends the stream
  BlobReader(const BlobReader&) = delete;
  BlobReader& operator=(const BlobReader&) = delete;

  // The next bytes; empty: the stream has ended as it should, be it before all of them came. CANCELLED, reason
  // INTERRUPTED; else the server's errors.
  absl::StatusOr<std::string> Next();

 private:
  struct Call;
  const TransferContext& context_;
  std::unique_ptr<Call> call_;
};

}  // namespace bitwright
