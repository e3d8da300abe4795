#include "client/api/budget.h"

#include "tests/support/status_matchers.h"

namespace bitwright::client {
namespace {

TEST(Budget, AverageBits) {
  ASSERT_OK_AND_ASSIGN(const v1::Budget budget, ParseBudget("4.25bpw"));
  EXPECT_EQ(budget.average_bits(), 4.25);
  EXPECT_EQ(BudgetText(budget), "4.25 bits per weight");
  ASSERT_OK_AND_ASSIGN(const v1::Budget spaced, ParseBudget("3 BPW"));
  EXPECT_EQ(spaced.average_bits(), 3);
}

TEST(Budget, Bytes) {
  const std::pair<const char*, int64_t> cases[] = {
      {"12MB", 12000000}, {"12MiB", 12582912}, {"12GB", 12000000000},      {"12000000B", 12000000},
      {"1.5kB", 1500},    {"1.5KiB", 1536},    {"2TiB", int64_t{2} << 40}, {"0.0000015MB", 1},
  };
  for (const auto& [text, bytes] : cases) {
    ASSERT_OK_AND_ASSIGN(const v1::Budget budget, ParseBudget(text));
    EXPECT_EQ(budget.artifact_bytes(), bytes) << text;
  }
  EXPECT_EQ(BudgetText(*ParseBudget("12MB")), "12,000,000 bytes");
}

TEST(Budget, RefusesWithTheForms) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "does not begin with a number"},
      {"bpw", "does not begin with a number"},
      {"4.25", "has no unit"},
      {"4.25 ", "has no unit"},
      {"-3bpw", "is not above 0"},
      {"0MB", "is not above 0"},
      {"nanbpw", "is not above 0"},
      {"infMB", "is not above 0"},
      {"33bpw", "is above 32 bits"},
      {"0.5B", "less than one byte"},
      {"4bit", "unknown unit 'bit'"},
      {"9999999999TB", "above 8 PiB"},
  };
  for (const auto& [text, why] : cases) {
    const auto budget = ParseBudget(text);
    EXPECT_THAT(budget, HasReason("BUDGET_INVALID")) << text;
    const std::string message(budget.status().message());
    EXPECT_NE(message.find(why), std::string::npos) << text << ": " << message;
    EXPECT_NE(message.find("12MiB"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace bitwright::client
