#pragma once

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "proto/base/log.h"

namespace bitwright::server {

// Between messages and the bytes that gRPC brings and takes. gRPC's own parsing answers a request that it cannot parse
// with UNIMPLEMENTED and no word; so every service takes bytes, and this is the one place that parses them (beside
// write_message.h). Fields that this server's contract does not know, at any depth, are dropped here: a row or blob
// made from a request holds nothing that the server did not look at.

// Why bytes that do not parse do not. INVALID_ARGUMENT, reason TEXT_INVALID (names the field) or REQUEST_MALFORMED.
absl::Status WhyUnparsable(const grpc::ByteBuffer& bytes, const google::protobuf::Descriptor& type);

// Errors of WhyUnparsable.
template <typename Message>
absl::Status ParseWire(const grpc::ByteBuffer& bytes, Message& message) {
  grpc::ByteBuffer copy(bytes);  // of references: reading takes the bytes away
  if (grpc::SerializationTraits<Message>::Deserialize(&copy, &message).ok()) {
    message.DiscardUnknownFields();
    return absl::OkStatus();
  }
  return WhyUnparsable(bytes, *Message::descriptor());
}

// Replaces what is in `bytes`. CHECK fails where memory does.
template <typename Message>
void SerializeWire(const Message& message, grpc::ByteBuffer& bytes) {
  bytes.Clear();
  bool own_buffer = false;
  CHECK(grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own_buffer).ok());
}

}  // namespace bitwright::server
