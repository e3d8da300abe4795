#include "server/rpc/write_message.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <utility>

#include "google/bytestream/bytestream.pb.h"
#include "proto/base/utf8.h"
#include "server/rpc/wire.h"

namespace bitwright::server {
namespace {

using google::bytestream::WriteRequest;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr uint32_t Tag(int field, WireFormatLite::WireType type) { return WireFormatLite::MakeTag(field, type); }

// The next `size` bytes where they lie.
bool ReadInPlace(CodedInputStream& input, int size, std::vector<std::string_view>& parts) {
  parts.clear();  // the last of several fields counts
  while (size > 0) {
    const void* data = nullptr;
    int available = 0;
    if (!input.GetDirectBufferPointer(&data, &available) || available <= 0) return false;
    const int part = std::min(size, available);
    parts.emplace_back(static_cast<const char*>(data), static_cast<size_t>(part));
    if (!input.Skip(part)) return false;
    size -= part;
  }
  return true;
}

bool ReadName(CodedInputStream& input, int size, std::string& name) {
  return input.ReadString(&name, size) && ValidUtf8Prefix(name) == name.size();
}

bool ReadField(CodedInputStream& input, uint32_t tag, WriteMessage& message) {
  int size = 0;
  uint64_t number = 0;
  switch (tag) {
    case Tag(WriteRequest::kResourceNameFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED):
      return input.ReadVarintSizeAsInt(&size) && ReadName(input, size, message.resource_name);
    case Tag(WriteRequest::kDataFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED):
      return input.ReadVarintSizeAsInt(&size) && ReadInPlace(input, size, message.data.parts);
    case Tag(WriteRequest::kWriteOffsetFieldNumber, WireFormatLite::WIRETYPE_VARINT):
      if (!input.ReadVarint64(&number)) return false;
      message.write_offset = static_cast<int64_t>(number);
      return true;
    case Tag(WriteRequest::kFinishWriteFieldNumber, WireFormatLite::WIRETYPE_VARINT):
      if (!input.ReadVarint64(&number)) return false;
      message.finish_write = number != 0;
      return true;
    default:
      return WireFormatLite::SkipField(&input, tag);
  }
}

bool Read(grpc::ByteBuffer& bytes, WriteMessage& message) {
  grpc::ProtoBufferReader reader(&bytes);
  if (!reader.status().ok()) return false;
  CodedInputStream input(&reader);
  while (const uint32_t tag = input.ReadTag()) {
    if (!ReadField(input, tag, message)) return false;
  }
  return input.ConsumedEntireMessage();
}

}  // namespace

absl::StatusOr<WriteMessage> ParseWriteMessage(const grpc::ByteBuffer& bytes) {
  const auto owner = std::make_shared<grpc::ByteBuffer>(bytes);  // the same memory, held
  WriteMessage message;
  message.data.owner = owner;
  if (Read(*owner, message)) return message;
  return WhyUnparsable(*owner, *WriteRequest::descriptor());
}

}  // namespace bitwright::server
