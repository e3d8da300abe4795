#include "client/api/json.h"

#include <gtest/gtest.h>

#include "bitwright/v1/reports.pb.h"

namespace bitwright::client {
namespace {

TEST(Json, KeepsFieldNamesAndDefaults) {
  v1::Report report;
  report.mutable_budget()->set_average_bits(4.25);
  const std::string json = ToJson(report);
  for (const char* field :
       {"\"schema_version\": 0", "\"average_bits\": 4.25", "\"candidates\": []", "\"model_bytes\": \"0\""}) {
    EXPECT_NE(json.find(field), std::string::npos) << field << " in " << json;
  }
}

}  // namespace
}  // namespace bitwright::client
