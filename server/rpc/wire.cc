#include "server/rpc/wire.h"

#include <string>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/base/wire_text.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {

absl::Status WhyUnparsable(const grpc::ByteBuffer& bytes, const google::protobuf::Descriptor& type) {
  std::vector<grpc::Slice> slices;
  if (!bytes.Dump(&slices).ok()) return RequestMalformedError(type.name());
  std::string whole;
  for (const grpc::Slice& slice : slices) whole.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  ABSL_RETURN_IF_ERROR(CheckWireText(whole, type));
  return RequestMalformedError(type.name());
}

}  // namespace bitwright::server
