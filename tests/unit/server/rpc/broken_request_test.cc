// Bytes that are no text, in every string field of every request of every service, over a real connection.
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>

#include <vector>

#include "absl/synchronization/notification.h"
#include "bitwright/v1/capabilities.pb.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/operator.pb.h"
#include "bitwright/v1/recipes.pb.h"
#include "server/app/server.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/raw_calls.h"

namespace bitwright::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using ::testing::HasSubstr;

using Path = std::vector<const FieldDescriptor*>;

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string Field(int number, const std::string& bytes) {
  return Varint(static_cast<uint64_t>(number) << 3 | 2) + Varint(bytes.size()) + bytes;
}

// A message in which the field at the end of the path has this value, and nothing else is set.
std::string Wire(const Path& path, std::string value) {
  for (auto field = path.rbegin(); field != path.rend(); ++field) value = Field((*field)->number(), value);
  return value;
}

// "spec.labels[0].value", as errors name it.
std::string Name(const Path& path) {
  std::string name;
  for (const FieldDescriptor* field : path) {
    name += (name.empty() ? "" : ".") + field->name() + (field->is_repeated() ? "[0]" : "");
  }
  return name;
}

void AddTextFields(const Descriptor& type, const Path& prefix, std::vector<Path>& found) {
  for (int i = 0; i < type.field_count(); ++i) {
    Path path = prefix;
    path.push_back(type.field(i));
    if (type.field(i)->type() == FieldDescriptor::TYPE_STRING) found.push_back(path);
    if (type.field(i)->type() == FieldDescriptor::TYPE_MESSAGE)
      AddTextFields(*type.field(i)->message_type(), path, found);
  }
}

std::vector<const MethodDescriptor*> AllMethods() {
  std::vector<const MethodDescriptor*> methods;
  for (const Descriptor* type :
       {v1::FindMissingBlobsRequest::descriptor(), v1::GetCapabilitiesRequest::descriptor(), v1::Model::descriptor(),
        v1::Job::descriptor(), v1::Recipe::descriptor(), v1::WorkerCapacity::descriptor(), v1::CacheEntry::descriptor(),
        google::bytestream::ReadRequest::descriptor()}) {
    const FileDescriptor& file = *type->file();
    for (int s = 0; s < file.service_count(); ++s) {
      for (int m = 0; m < file.service(s)->method_count(); ++m) methods.push_back(file.service(s)->method(m));
    }
  }
  return methods;
}

class BrokenRequestTest : public ::testing::Test {
 protected:
  BrokenRequestTest() {
    Options options;
    options.data_dir = dir_ / "data";
    options.listen = "unix:" + (dir_ / "socket");
    options.metrics_listen = "off";
    options.workers = 0;
    auto server = Server::Start(options, clock_);
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
    calls_ = std::make_unique<RawCalls>(server_->address());
  }

  // One message, whatever the method streams: what is broken is refused before anything is streamed back.
  absl::Status Call(const MethodDescriptor& method, const std::string& bytes) {
    grpc::GenericStub stub(calls_->channel);
    const auto context = RawCalls::Context();
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::Status status;
    absl::Notification done;
    stub.UnaryCall(context.get(), "/" + method.service()->full_name() + "/" + method.name(), grpc::StubOptions(),
                   &request, &response, [&](grpc::Status answer) {
                     status = std::move(answer);
                     done.Notify();
                   });
    done.WaitForNotification();
    return FromGrpc(status);
  }

  TempDir dir_;
  SystemClock clock_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<RawCalls> calls_;
};

TEST_F(BrokenRequestTest, EveryTextFieldIsNamed) {
  int fields = 0;
  for (const MethodDescriptor* method : AllMethods()) {
    std::vector<Path> paths;
    AddTextFields(*method->input_type(), {}, paths);
    for (const Path& path : paths) {
      const std::string what = method->full_name() + ": " + Name(path);
      const absl::Status status = Call(*method, Wire(path, "ab\xff"));
      EXPECT_THAT(status, HasReason("TEXT_INVALID")) << what;
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << what;
      EXPECT_THAT(std::string(status.message()), HasSubstr("'" + Name(path) + "'")) << what;
      EXPECT_THAT(std::string(status.message()), HasSubstr("at byte 2; give UTF-8 text")) << what;
      ++fields;
    }
  }
  EXPECT_GE(fields, 50);
}

TEST_F(BrokenRequestTest, BytesThatAreNoMessageAreRefused) {
  const std::vector<const MethodDescriptor*> methods = AllMethods();
  EXPECT_GT(methods.size(), 20u);
  for (const MethodDescriptor* method : methods) {
    for (const std::string& bytes : {std::string("\xff\xff\xff"), std::string("\x0a\x7f", 2), std::string("\x07")}) {
      const absl::Status status = Call(*method, bytes);
      EXPECT_THAT(status, HasReason("REQUEST_MALFORMED")) << method->full_name();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << method->full_name();
      EXPECT_THAT(std::string(status.message()), HasSubstr("; use a client")) << method->full_name();
    }
  }
}

}  // namespace
}  // namespace bitwright::server
