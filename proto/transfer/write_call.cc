#include "proto/transfer/write_call.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/rpc_method.h>

#include <string>

namespace bitwright {
namespace {

using google::bytestream::WriteRequest;
using google::protobuf::internal::WireFormatLite;

constexpr char kMethod[] = "/google.bytestream.ByteStream/Write";

std::string HeadBytes(const WriteRequest& head, size_t data_size) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream output(&stream);
  head.SerializeToCodedStream(&output);
  output.WriteTag(WireFormatLite::MakeTag(WriteRequest::kDataFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  output.WriteVarint32(static_cast<uint32_t>(data_size));
  output.Trim();
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
