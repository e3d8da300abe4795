#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/blobs/blobs.h"

namespace grpc {
class ByteBuffer;
}

namespace bitwright::server {

// A google.bytestream.WriteRequest whose data stays in the buffer that it came in: a megabyte a message is not copied
// once more. Fields that the contract does not know are left out.
struct WriteMessage {
  std::string resource_name;
  int64_t write_offset = 0;
  bool finish_write = false;
  Piece data;  // owns the buffer
};

// Reads the same bytes as the generated parser, with the same result. Errors of WhyUnparsable (wire.h).
absl::StatusOr<WriteMessage> ParseWriteMessage(const grpc::ByteBuffer& bytes);

}  // namespace bitwright::server
