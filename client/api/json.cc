#include "client/api/json.h"

#include <google/protobuf/util/json_util.h>

#include "proto/base/log.h"

namespace bitwright::client {

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  CHECK(status.ok()) << status.ToString();
  return json;
}

}  // namespace bitwright::client
