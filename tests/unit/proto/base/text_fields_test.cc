#include "proto/base/text_fields.h"

#include <gtest/gtest.h>

#include "bitwright/v1/jobs.pb.h"
#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

constexpr char kBroken[] = "a\xff";

std::string FieldOf(const absl::Status& status) {
  EXPECT_THAT(status, HasReason("TEXT_INVALID"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  return GetErrorDetail(status)->metadata.at("field");
}

TEST(TextFields, WellFormedAtAnyDepth) {
  v1::CreateJobRequest request;
  request.mutable_spec()->set_display_name("日本 👋");
  (*request.mutable_spec()->mutable_labels())["team"] = "ü";
  EXPECT_THAT(CheckTextFields(request), IsOk());
}

TEST(TextFields, NamesTheFieldAndTheByte) {
  v1::CreateJobRequest request;
  request.set_request_id(kBroken);
  EXPECT_EQ(FieldOf(CheckTextFields(request)), "request_id");
  EXPECT_EQ(GetErrorDetail(CheckTextFields(request))->metadata.at("offset"), "1");
  request.clear_request_id();
  request.mutable_spec()->add_calibration()->mutable_blob()->set_sha256(kBroken);
  EXPECT_EQ(FieldOf(CheckTextFields(request)), "spec.calibration[0].blob.sha256");
  request.mutable_spec()->clear_calibration();
  (*request.mutable_spec()->mutable_labels())["team"] = kBroken;
  EXPECT_EQ(FieldOf(CheckTextFields(request)), "spec.labels[0].value");
  request.mutable_spec()->clear_labels();
  request.mutable_spec()->mutable_inline_recipe()->set_description(kBroken);
  EXPECT_EQ(FieldOf(CheckTextFields(request)), "spec.inline_recipe.description");
}

}  // namespace
}  // namespace bitwright
