#include "server/rpc/write_message.h"

#include <random>
#include <vector>

#include "google/bytestream/bytestream.pb.h"
#include "grpcpp/support/byte_buffer.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using google::bytestream::WriteRequest;

// In slices as the network may cut them.
grpc::ByteBuffer Cut(const std::string& bytes, std::mt19937& random) {
  std::vector<grpc::Slice> slices;
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = std::min<size_t>(bytes.size() - at, 1 + random() % 40);
    slices.emplace_back(bytes.data() + at, size);
    at += size;
  }
  return {slices.data(), slices.size()};
}

std::string Joined(const Piece& piece) {
  std::string data;
  for (const std::string_view part : piece.parts) data += part;
  return data;
}

// The generated parser, which is what the contract means.
void ExpectSame(const std::string& bytes, std::mt19937& random) {
  WriteRequest expected;
  const bool parses = expected.ParseFromString(bytes);
  const absl::StatusOr<WriteMessage> message = ParseWriteMessage(Cut(bytes, random));
  ASSERT_EQ(message.ok(), parses) << ::testing::PrintToString(bytes);
  if (!parses) return;
  EXPECT_EQ(message->resource_name, expected.resource_name());
  EXPECT_EQ(message->write_offset, expected.write_offset());
  EXPECT_EQ(message->finish_write, expected.finish_write());
  EXPECT_EQ(Joined(message->data), expected.data());
}

TEST(WriteMessage, IsReadAsTheGeneratedParserReadsIt) {
  std::mt19937 random(1);  // NOLINT: the same each time
  for (int round = 0; round < 2000; ++round) {
    WriteRequest request;
    if (random() % 2 != 0) request.set_resource_name("uploads/" + std::to_string(random()));
    if (random() % 2 != 0) request.set_write_offset(static_cast<int64_t>(random()) - 1000);
    request.set_finish_write(random() % 2 != 0);
    request.set_data(std::string(random() % 300, static_cast<char>(random())));
    if (random() % 3 == 0) {
      request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(77, "unknown");
    }
    std::string bytes = request.SerializeAsString();
    if (random() % 4 == 0) bytes += request.SerializeAsString();  // fields twice: the last counts
    ExpectSame(bytes, random);
    for (int change = 0; change < 3 && !bytes.empty(); ++change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
      ExpectSame(bytes, random);
    }
    ExpectSame(bytes.substr(0, random() % (bytes.size() + 1)), random);
  }
}

TEST(WriteMessage, NamesWhatIsWrong) {
  std::mt19937 random(1);  // NOLINT: the same each time
  EXPECT_THAT(ParseWriteMessage(Cut("\x0a\x03"
                                    "ab\xff",
                                    random)),
              HasReason("TEXT_INVALID"));
  EXPECT_THAT(ParseWriteMessage(Cut("\x52\x7f", random)), HasReason("REQUEST_MALFORMED"));
}

}  // namespace
}  // namespace bitwright::server
