#include "proto/base/message_bytes.h"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"

namespace bitwright {
namespace {

TEST(MessageBytes, MapEntriesStandInKeyOrder) {
  google::rpc::ErrorInfo forwards;
  google::rpc::ErrorInfo backwards;
  for (int i = 0; i < 50; ++i) {
    (*forwards.mutable_metadata())["key" + std::to_string(i)] = "value";
    (*backwards.mutable_metadata())["key" + std::to_string(49 - i)] = "value";
  }
  const std::string bytes = DeterministicBytes(forwards);
  EXPECT_EQ(bytes, DeterministicBytes(backwards));
  EXPECT_LT(bytes.find("key0"), bytes.find("key1"));
  EXPECT_LT(bytes.find("key48"), bytes.find("key49"));
  google::rpc::ErrorInfo parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));
  EXPECT_EQ(parsed.metadata_size(), 50);
}

}  // namespace
}  // namespace bitwright
