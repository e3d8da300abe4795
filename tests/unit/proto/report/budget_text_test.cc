#include "proto/report/budget_text.h"

#include <gtest/gtest.h>

#include "proto/inputs/budget.h"

namespace bitwright {
namespace {

TEST(BudgetText, IsForAPerson) {
  EXPECT_EQ(BudgetText(*ParseBudget("4.25bpw")), "4.25 bits per weight");
  EXPECT_EQ(BudgetText(*ParseBudget("12MB")), "12,000,000 bytes");
  EXPECT_EQ(BudgetText(*ParseBudget("kld=0.05")), "KL divergence at most 0.05 nats per token");
  EXPECT_EQ(BudgetText(*ParseBudget("ppl=0.011")), "perplexity at most 1.1 % above the unquantized model's");
  EXPECT_EQ(BudgetText({}), "none");
}

}  // namespace
}  // namespace bitwright
