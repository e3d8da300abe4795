#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>
#include <grpcpp/support/sync_stream.h>

#include <memory>

namespace google::bytestream {
class WriteRequest;
class WriteResponse;
}  // namespace google::bytestream

namespace grpc {
class ChannelInterface;
class ClientContext;
}  // namespace grpc

namespace bitwright {

// ByteStream.Write, whose messages are given as bytes: a generated stub would copy the data of each into a message and
// again into what is sent, which is a good part of what an upload costs its sender.
std::unique_ptr<grpc::ClientWriter<grpc::ByteBuffer>> OpenWriteCall(grpc::ChannelInterface& channel,
                                                                    grpc::ClientContext* context,
                                                                    google::bytestream::WriteResponse* response);

// The message `head`, which has no data, with this data; its memory is shared.
grpc::ByteBuffer WriteCallMessage(const google::bytestream::WriteRequest& head, const grpc::Slice& data);

}  // namespace bitwright
