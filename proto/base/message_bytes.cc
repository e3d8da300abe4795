#include "proto/base/message_bytes.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message_lite.h>

#include "proto/base/log.h"

namespace bitwright {

std::string DeterministicBytes(const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream out(&sink);
    out.SetSerializationDeterministic(true);
    CHECK(message.SerializeToCodedStream(&out)) << message.GetTypeName() << " has no wire form";
  }
  return bytes;
}

}  // namespace bitwright
