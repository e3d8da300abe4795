#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "proto/contract/digest.h"
#include "proto/contract/log.h"
#include "server/jobs/graph.h"

namespace bitwright {

std::string TaskDigest(const v1::TaskSpec& spec) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream out(&sink);
    out.SetSerializationDeterministic(true);
    CHECK(spec.SerializeToCodedStream(&out)) << "task spec of kind " << spec.kind();
  }
  return Sha256Hex(bytes);
}

}  // namespace bitwright
