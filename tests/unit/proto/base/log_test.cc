#include "proto/base/log.h"

#include <gmock/gmock.h>

#include <functional>
#include <limits>

namespace bitwright {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// What the body writes to standard error.
std::string Written(const std::function<void()>& body) {
  ::testing::internal::CaptureStderr();
  body();
  return ::testing::internal::GetCapturedStderr();
}

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override {
    SetMinLogSeverity(LogSeverity::kInfo);
    SetLogFormat(LogFormat::kText);
  }
};

TEST_F(LogTest, ALineOfTextHasTimeLevelSourceMessageAndFields) {
  const std::string line = Written([] {
    LOG(WARNING).With("job", "jobs/1").With("tasks", 12).With("seconds", 0.25).With("cached", true) << "took " << 3;
  });
  EXPECT_THAT(line, MatchesRegex("[-0-9T:.]+Z W proto/base/log_test.cc:[0-9]+\\] took 3 job=jobs/1 tasks=12 "
                                 "seconds=0.25 cached=true\n"));
}

TEST_F(LogTest, JsonIsOneObjectALine) {
  SetLogFormat(LogFormat::kJson);
  const std::string line = Written([] { LOG(INFO).With("job", "jobs/1").With("tasks", 12) << "created"; });
  EXPECT_THAT(line, MatchesRegex("\\{\"time\":\"[-0-9T:.]+Z\",\"level\":\"info\",\"source\":\"proto/base/"
                                 "log_test.cc:[0-9]+\",\"message\":\"created\",\"job\":\"jobs/1\",\"tasks\":12\\}\n"));
}

TEST_F(LogTest, HostileTextStaysWithinItsLineAndItsField) {
  const std::string hostile = "a\nb \"c\\ \xff\x01";
  EXPECT_THAT(Written([&] { LOG(INFO).With("name", hostile) << hostile; }),
              EndsWith("] a b \"c\\ ?? name=\"a b \\\"c\\\\ ??\"\n"));
  SetLogFormat(LogFormat::kJson);
  EXPECT_THAT(Written([&] { LOG(INFO).With("name", hostile) << hostile; }),
              EndsWith(R"("message":"a b \"c\\ ??","name":"a b \"c\\ ??"})"
                       "\n"));
  EXPECT_THAT(Written([] { LOG(INFO).With("ratio", std::numeric_limits<double>::infinity()) << "x"; }),
              HasSubstr("\"ratio\":\"inf\""));
}

TEST_F(LogTest, WhatIsBelowTheLevelIsNotEvenMade) {
  const auto text = []() -> std::string {
    ADD_FAILURE() << "made for nothing";
    return "";
  };
  EXPECT_EQ(Written([&] { LOG(DEBUG).With("value", text()) << text(); }), "");
  SetMinLogSeverity(LogSeverity::kDebug);
  EXPECT_THAT(Written([] { LOG(DEBUG) << "now"; }), HasSubstr(" D proto/base/log_test.cc:"));
  SetMinLogSeverity(LogSeverity::kError);
  EXPECT_EQ(Written([&] { LOG(WARNING) << text(); }), "");
  EXPECT_THAT(Written([] { LOG(ERROR) << "still"; }), EndsWith("] still\n"));
}

}  // namespace
}  // namespace bitwright
