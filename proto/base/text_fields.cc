#include "proto/base/text_fields.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "proto/base/base_errors.h"
#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"

namespace bitwright {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status CheckAll(const Message& message, const std::string& prefix);

// Element `index` of a repeated field; −1: the field is not repeated.
absl::Status CheckOne(const Message& message, const FieldDescriptor& field, int index, const std::string& name) {
  const auto& reflection = *message.GetReflection();
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    std::string scratch;
    return CheckText(name, index < 0 ? reflection.GetStringReference(message, &field, &scratch)
                                     : reflection.GetRepeatedStringReference(message, &field, index, &scratch));
  }
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return absl::OkStatus();
  return CheckAll(
      index < 0 ? reflection.GetMessage(message, &field) : reflection.GetRepeatedMessage(message, &field, index),
      name + ".");
}

absl::Status CheckAll(const Message& message, const std::string& prefix) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string name = prefix + field->name();
    if (!field->is_repeated()) {
      ABSL_RETURN_IF_ERROR(CheckOne(message, *field, -1, name));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      ABSL_RETURN_IF_ERROR(CheckOne(message, *field, i, name + "[" + std::to_string(i) + "]"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckText(std::string_view field, std::string_view text) {
  const size_t valid = ValidUtf8Prefix(text);
  return valid == text.size() ? absl::OkStatus() : TextInvalidError(field, text, valid);
}

absl::Status CheckTextFields(const Message& message) { return CheckAll(message, ""); }

}  // namespace bitwright
