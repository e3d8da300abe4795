#include "client/api/display_name.h"

#include "proto/base/utf8.h"
#include "tests/support/status_matchers.h"

namespace bitwright::client {
namespace {

TEST(DisplayName, WhatIsTypedIsCheckedNotChanged) {
  EXPECT_THAT(CheckDisplayName("--name", ""), IsOk());
  EXPECT_THAT(CheckDisplayName("--name", std::string(128, 'x')), IsOk());
  EXPECT_THAT(CheckDisplayName("--name", std::string(129, 'x')), HasReason("DISPLAY_NAME_INVALID"));
  const absl::Status status = CheckDisplayName("--name", "caf\xe9");
  EXPECT_THAT(status, HasReason("DISPLAY_NAME_INVALID"));
  EXPECT_NE(status.message().find("--name"), absl::string_view::npos);
  EXPECT_NE(status.message().find("byte 3"), absl::string_view::npos);
}

TEST(DisplayName, WhatComesFromADiskIsCutBetweenCharacters) {
  std::string chinese;
  for (int i = 0; i < 60; ++i) chinese += "模";  // three bytes each
  const std::string name = FitDisplayName(chinese);
  EXPECT_EQ(name.size(), 126u);
  EXPECT_EQ(ValidUtf8Prefix(name), name.size());
  for (size_t length = 120; length < 140; ++length) {
    const std::string fit = FitDisplayName(std::string(length % 3, 'a') + chinese.substr(0, length));
    EXPECT_LE(fit.size(), 128u);
    EXPECT_THAT(CheckDisplayName("a folder", fit), IsOk());
  }
  EXPECT_THAT(CheckDisplayName("a folder", FitDisplayName("a\xff\xfe\nb")), IsOk());
}

}  // namespace
}  // namespace bitwright::client
