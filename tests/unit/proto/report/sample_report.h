#pragma once

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "bitwright/v1/reports.pb.h"
#include "tests/support/fixtures.h"

namespace bitwright {

inline std::string GoldenText(const std::string& name) {
  const std::ifstream file(SourcePath("tests/golden/proto/" + name));
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A made-up report of the size of the shipped sample's.
inline v1::Report SampleReport() {
  v1::Report report;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(GoldenText("report.textproto"), &report));
  return report;
}

}  // namespace bitwright
