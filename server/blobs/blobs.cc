#include "server/blobs/blobs.h"

#include <limits>
#include <string>

#include "proto/base/status_macros.h"

namespace bitwright::server {

int64_t Piece::size() const {
  int64_t bytes = 0;
  for (const std::string_view part : parts) bytes += static_cast<int64_t>(part.size());
  return bytes;
}

absl::Status BlobUpload::AppendCopied(std::string_view data) {
  ABSL_RETURN_IF_ERROR(HashMore(std::numeric_limits<int64_t>::max()).status());
  const auto copy = std::make_shared<const std::string>(data);
  return Append({.parts = {*copy}, .owner = copy});
}

}  // namespace bitwright::server
