// What this server's contract does not know stays out of what it keeps.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "bitwright/v1/models.grpc.pb.h"
#include "server/rpc/wire.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/test_server.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kUnknown[] = "a field of another version";

void AddUnknown(google::protobuf::Message& message) {
  message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(15000, kUnknown);
}

v1::CreateModelRequest WithUnknownFields() {
  v1::CreateModelRequest request;
  request.set_display_name("small");
  v1::FileEntry& file = *request.mutable_manifest()->add_files();
  file.set_path("config.json");
  for (google::protobuf::Message* message :
       std::vector<google::protobuf::Message*>{&request, request.mutable_manifest(), &file, file.mutable_digest()}) {
    AddUnknown(*message);
  }
  return request;
}

TEST(ParseWire, DropsUnknownFieldsAtAnyDepth) {
  const std::string bytes = WithUnknownFields().SerializeAsString();
  ASSERT_THAT(bytes, HasSubstr(kUnknown));
  const grpc::Slice slice(bytes);
  v1::CreateModelRequest parsed;
  BITWRIGHT_ASSERT_OK(ParseWire(grpc::ByteBuffer(&slice, 1), parsed));
  EXPECT_EQ(parsed.manifest().files(0).path(), "config.json");
  EXPECT_THAT(parsed.SerializeAsString(), Not(HasSubstr(kUnknown)));
}

TEST(UnknownFields, AreInNoFileOfTheServer) {
  SystemClock clock;
  TestServer test(clock);
  v1::CreateModelRequest request = WithUnknownFields();
  const BlobDigest digest = test.calls->Put("{}");
  request.mutable_manifest()->mutable_files(0)->mutable_digest()->set_sha256(digest.sha256);
  request.mutable_manifest()->mutable_files(0)->mutable_digest()->set_size_bytes(digest.size_bytes);
  const auto models = v1::ModelService::NewStub(test.calls->channel);
  ASSERT_OK_AND_ASSIGN(const v1::Model model,
                       test.calls->Call<v1::Model>(*models, &v1::ModelService::Stub::CreateModel, request));
  EXPECT_THAT(model.SerializeAsString(), Not(HasSubstr(kUnknown)));
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test.dir / "data")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path());
    EXPECT_THAT(std::string(std::istreambuf_iterator<char>(file), {}), Not(HasSubstr(kUnknown))) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 2) << "the database and the blob";
}

}  // namespace
}  // namespace bitwright::server
