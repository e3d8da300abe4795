#include "server/rpc/resource_name.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace bitwright::server {

std::string ResourceName(const google::protobuf::Message& message) {
  using google::protobuf::FieldDescriptor;
  for (const char* name : {"name", "worker"}) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr || field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
    return message.GetReflection()->GetString(message, field);
  }
  return "";
}

}  // namespace bitwright::server
