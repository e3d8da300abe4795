#include "proto/base/wire_text.h"

#include "bitwright/v1/jobs.pb.h"
#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

using ::testing::HasSubstr;

const google::protobuf::Descriptor& Type() { return *v1::CreateJobRequest::descriptor(); }

// A request whose wire form is broken by replacing the text `xxx` in it.
std::string Broken(const v1::CreateJobRequest& request) {
  std::string bytes = request.SerializeAsString();
  bytes.replace(bytes.find("xxx"), 3,
                "x\xff"
                "x");
  return bytes;
}

std::string Message(const std::string& bytes) {
  const absl::Status status = CheckWireText(bytes, Type());
  EXPECT_THAT(status, HasReason("TEXT_INVALID"));
  return std::string(status.message());
}

TEST(WireText, NamesTheFieldAtAnyDepth) {
  v1::CreateJobRequest top;
  top.set_request_id("xxx");
  EXPECT_THAT(Message(Broken(top)), HasSubstr("field 'request_id'"));
  EXPECT_THAT(Message(Broken(top)), HasSubstr("byte 1"));
  v1::CreateJobRequest deep;
  deep.mutable_spec()->mutable_inline_recipe()->set_description("xxx");
  EXPECT_THAT(Message(Broken(deep)), HasSubstr("field 'spec.inline_recipe.description'"));
  v1::CreateJobRequest map;
  (*map.mutable_spec()->mutable_labels())["team"] = "xxx";
  EXPECT_THAT(Message(Broken(map)), HasSubstr("field 'spec.labels[0].value'"));
}

TEST(WireText, WhatIsUtf8OrNoTextPasses) {
  v1::CreateJobRequest good;
  good.set_request_id("Größe 中文");
  good.mutable_spec()->mutable_budget()->set_average_bits(4.25);
  good.mutable_spec()->set_priority(-3);
  BITWRIGHT_EXPECT_OK(CheckWireText(good.SerializeAsString(), Type()));
  BITWRIGHT_EXPECT_OK(CheckWireText("", Type()));
}

// Bytes that are no message from some place on are another one's to refuse; here they must not be read past their end.
TEST(WireText, CutBytesAreReadToTheirEnd) {
  v1::CreateJobRequest request;
  request.set_request_id("xxx");
  request.mutable_spec()->set_model("models/1");
  (*request.mutable_spec()->mutable_labels())["team"] = "xxx";
  const std::string bytes = request.SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    BITWRIGHT_EXPECT_OK(CheckWireText(std::string(bytes.data(), size), Type())) << size;
  }
}

}  // namespace
}  // namespace bitwright
