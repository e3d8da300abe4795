#include "proto/base/wire_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <map>
#include <string>

#include "proto/base/status_macros.h"
#include "proto/base/text_fields.h"

namespace bitwright {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

constexpr int kMostDepth = 100;  // as parsers allow

absl::Status CheckMessage(std::string_view bytes, const Descriptor& type, const std::string& prefix, int depth);

absl::Status CheckField(std::string_view value, const FieldDescriptor& field, const std::string& name, int depth) {
  if (field.type() == FieldDescriptor::TYPE_MESSAGE)
    return CheckMessage(value, *field.message_type(), name + ".", depth);
  return field.type() == FieldDescriptor::TYPE_STRING ? CheckText(name, value) : absl::OkStatus();
}

// Every message and string is length-delimited on the wire; all else is skipped.
absl::Status CheckMessage(std::string_view bytes, const Descriptor& type, const std::string& prefix, int depth) {
  if (depth > kMostDepth) return absl::OkStatus();
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(bytes.data()),
                                               static_cast<int>(bytes.size()));
  std::map<int, int> seen;  // of repeated fields, by number
  while (const uint32_t tag = input.ReadTag()) {
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&input, tag)) break;
      continue;
    }
    uint32_t size = 0;
    if (!input.ReadVarint32(&size)) break;
    const size_t begin = static_cast<size_t>(input.CurrentPosition());
    if (size > bytes.size() - begin || !input.Skip(static_cast<int>(size))) break;
    const FieldDescriptor* field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    if (field == nullptr) continue;
    std::string name = prefix + field->name();
    if (field->is_repeated()) name += "[" + std::to_string(seen[field->number()]++) + "]";
    ABSL_RETURN_IF_ERROR(CheckField(bytes.substr(begin, size), *field, name, depth + 1));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckWireText(std::string_view bytes, const Descriptor& type) { return CheckMessage(bytes, type, "", 0); }

}  // namespace bitwright
