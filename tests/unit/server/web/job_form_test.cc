#include "server/web/job_form.h"

#include "proto/contract/goals.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

TEST(JobForm, EachTargetHasEachBudget) {
  const JobForm form("models/m", {{"target", "gguf"},
                                  {"target", "gptq"},
                                  {"budget", " 4bpw, kld=0.05 ,"},
                                  {"recipe", "mixed-rtn"},
                                  {"display_name", " mine "},
                                  {"device", "cuda"},
                                  {"priority", "-3"}});
  ASSERT_OK_AND_ASSIGN(const v1::JobSpec spec, form.Spec());
  EXPECT_EQ(spec.recipe(), "recipes/mixed-rtn");
  EXPECT_EQ(spec.display_name(), "mine");
  EXPECT_EQ(spec.priority(), -3);
  EXPECT_EQ(spec.device(), "cuda");
  const std::vector<v1::Goal> goals = GoalsOf(spec);
  ASSERT_EQ(goals.size(), 4u);
  EXPECT_EQ(goals[1].target(), "gguf");
  EXPECT_EQ(goals[1].budget().max_kl_divergence(), 0.05);
  EXPECT_EQ(goals[2].target(), "gptq");
  EXPECT_EQ(goals[2].budget().average_bits(), 4);
}

TEST(JobForm, WithoutABudgetGoalsHaveNone) {
  ASSERT_OK_AND_ASSIGN(const v1::JobSpec spec, JobForm("models/m", {{"target", "gguf"}}).Spec());
  EXPECT_EQ(GoalsOf(spec)[0].target(), "gguf");
  EXPECT_FALSE(GoalsOf(spec)[0].has_budget());
}

TEST(JobForm, WhatIsWrongIsNamed) {
  EXPECT_THAT(JobForm("models/m", {{"budget", "4"}}).Spec(), HasReason("BUDGET_INVALID"));
  EXPECT_THAT(JobForm("models/m", {{"priority", "high"}}).Spec(), HasReason("NUMBER_INVALID"));
}

}  // namespace
}  // namespace bitwright::server
