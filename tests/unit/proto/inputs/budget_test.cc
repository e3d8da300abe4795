#include "proto/inputs/budget.h"

#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

TEST(Budget, AverageBits) {
  ASSERT_OK_AND_ASSIGN(const v1::Budget budget, ParseBudget("4.25bpw"));
  EXPECT_EQ(budget.average_bits(), 4.25);
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
}

TEST(Budget, BoundsOfQuality) {
  EXPECT_EQ(ParseBudget("kld=0.05")->max_kl_divergence(), 0.05);
  EXPECT_EQ(ParseBudget("KLD=5e-3")->max_kl_divergence(), 0.005);
  // As exact as if it were written without the percent sign.
  for (const auto& [text, share] : {std::pair{"ppl=1%", 0.01},
                                    {"ppl=0.01", 0.01},
                                    {"ppl=1.1%", 0.011},
                                    {"ppl=0.29%", 0.0029},
                                    {"Ppl=1000%", 10.0}}) {
    ASSERT_OK_AND_ASSIGN(const v1::Budget budget, ParseBudget(text));
    EXPECT_EQ(budget.max_perplexity_rise(), share) << text;
  }
}

TEST(Budget, HasAShortNameThatReadsAsTheSame) {
  const std::pair<const char*, const char*> cases[] = {
      {"4.25bpw", "4.25bpw"},    {"3.0BPW", "3bpw"},       {"12000000B", "12MB"},       {"12582912B", "12MiB"},
      {"1536B", "1536B"},        {"4500000000B", "4.5GB"}, {"12345678B", "12345678B"},  {"7B", "7B"},
      {"kld=0.050", "kld=0.05"}, {"ppl=0.01", "ppl=1%"},   {"ppl=0.0029", "ppl=0.29%"},
  };
  for (const auto& [text, name] : cases) {
    ASSERT_OK_AND_ASSIGN(const v1::Budget budget, ParseBudget(text));
    EXPECT_EQ(BudgetName(budget), name);
    ASSERT_OK_AND_ASSIGN(const v1::Budget again, ParseBudget(name));
    EXPECT_EQ(again.SerializeAsString(), budget.SerializeAsString()) << name;
  }
  EXPECT_EQ(BudgetName(v1::Budget()), "");
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
      {"kld=", "has no number"},
      {"kld=1%", "has no number"},
      {"kld=inf", "has no number"},
      {"kld=0", "is not above 0"},
      {"kld=-1", "is not above 0"},
      {"ppl=%", "has no number"},
      {"ppl=nan", "has no number"},
      {"ppl=0%", "is not above 0"},
      {"ppl=1001%", "is above 1000 %"},
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
}  // namespace bitwright
