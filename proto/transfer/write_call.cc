#include "proto/transfer/write_call.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/rpc_method.h>

#include <string>

#include "google/bytestream/bytestream.grpc.pb.h"

namespace bitwright {
namespace {

using google::bytestream::WriteRequest;

constexpr char kMethod[] = "/google.bytestream.ByteStream/Write";

// The message up to its data: tag and length of the field come last (protobuf.dev/programming-guides/encoding).
std::string HeadBytes(const WriteRequest& head, size_t data_size) {
  constexpr int kLengthDelimited = 2;
  std::string bytes = head.SerializeAsString();
  bytes += static_cast<char>(WriteRequest::kDataFieldNumber << 3 | kLengthDelimited);
  for (; data_size >= 0x80; data_size >>= 7) bytes += static_cast<char>(data_size | 0x80);
  bytes += static_cast<char>(data_size);
  return bytes;
}

}  // namespace

// As the generated stub makes its own.
std::unique_ptr<grpc::ClientWriter<grpc::ByteBuffer>> OpenWriteCall(grpc::ChannelInterface& channel,
                                                                    grpc::ClientContext* context,
                                                                    google::bytestream::WriteResponse* response) {
  const grpc::internal::RpcMethod method(kMethod, grpc::internal::RpcMethod::CLIENT_STREAMING);
  return std::unique_ptr<grpc::ClientWriter<grpc::ByteBuffer>>(
      grpc::internal::ClientWriterFactory<grpc::ByteBuffer>::Create(&channel, method, context, response));
}

grpc::ByteBuffer WriteCallMessage(const WriteRequest& head, const grpc::Slice& data) {
  const grpc::Slice parts[] = {grpc::Slice(HeadBytes(head, data.size())), data};
  return grpc::ByteBuffer(parts, std::size(parts));
}

}  // namespace bitwright
