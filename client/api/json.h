#pragma once

#include <string>

namespace google::protobuf {
class Message;
}

namespace bitwright::client {

// The JSON form of a message: field names as in the proto, fields with their default value too, indented.
std::string ToJson(const google::protobuf::Message& message);

}  // namespace bitwright::client
