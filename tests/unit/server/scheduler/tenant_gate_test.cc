#include "server/scheduler/tenant_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitwright::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TenantGate::Job Job(const std::string& name, int age = 0, int priority = 0, const std::string& tenant = "a") {
  return {.name = name, .tenant = tenant, .priority = priority, .create_time = absl::FromUnixSeconds(age)};
}

TEST(TenantGate, WithoutALimitAllEnter) {
  TenantGate gate;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(gate.Enter(Job(std::to_string(i))));
  EXPECT_EQ(gate.held(), 0u);
}

TEST(TenantGate, BeyondTheLimitJobsWaitUntilOneEnds) {
  TenantGate gate;
  gate.LimitOthers(2);
  EXPECT_TRUE(gate.Enter(Job("1", 1)));
  EXPECT_TRUE(gate.Enter(Job("2", 2)));
  EXPECT_FALSE(gate.Enter(Job("4", 4)));
  EXPECT_FALSE(gate.Enter(Job("3", 3)));
  EXPECT_TRUE(gate.Enter(Job("1", 1))) << "it is inside";
  EXPECT_TRUE(gate.Enter(Job("x", 9, 0, "b"))) << "another tenant's";
  EXPECT_TRUE(gate.Holds("3"));
  EXPECT_EQ(gate.held(), 2u);
  gate.Begin(Job("1", 1));
  gate.Leave("1");
  EXPECT_THAT(gate.TakeMoves().let_in, ElementsAre("3")) << "the older one";
  EXPECT_TRUE(gate.TakeMoves().empty()) << "told once";
  gate.Leave("4");
  gate.Leave("2");
  gate.Leave("3");
  EXPECT_TRUE(gate.TakeMoves().empty());
  EXPECT_EQ(gate.held(), 0u);
}

TEST(TenantGate, OneThatGoesBeforeTakesThePlaceOfOneThatHasNotBegun) {
  TenantGate gate;
  gate.LimitOthers(2);
  gate.Enter(Job("1", 1));
  gate.Enter(Job("2", 2));
  gate.Begin(Job("1", 1));
  EXPECT_TRUE(gate.Enter(Job("urgent", 3, 5)));
  EXPECT_THAT(gate.TakeMoves().put_back, ElementsAre("2"));
  EXPECT_FALSE(gate.Enter(Job("2", 2)));
  EXPECT_FALSE(gate.Enter(Job("another", 4, 4))) << "it does not go before the one inside";
  gate.Begin(Job("urgent", 3, 5));
  EXPECT_FALSE(gate.Enter(Job("more urgent", 5, 9))) << "all that are inside have begun";
  EXPECT_TRUE(gate.TakeMoves().empty());
}

TEST(TenantGate, AllThatBeganCountWhateverTheLimit) {
  TenantGate gate;
  gate.LimitOthers(1);
  gate.Begin(Job("1"));
  gate.Begin(Job("2"));
  EXPECT_FALSE(gate.Enter(Job("3")));
  gate.Leave("1");
  EXPECT_TRUE(gate.TakeMoves().empty());
  gate.Leave("2");
  EXPECT_THAT(gate.TakeMoves().let_in, ElementsAre("3"));
}

TEST(TenantGate, OneThatCannotBeginKeepsNobodyOut) {
  TenantGate gate;
  gate.LimitOthers(1);
  gate.Enter(Job("1", 1));
  gate.Enter(Job("2", 2));
  gate.Yield("1");
  EXPECT_THAT(gate.TakeMoves().let_in, ElementsAre("2"));
  gate.Begin(Job("2", 2));
  gate.Yield("2");
  EXPECT_TRUE(gate.IsBegun("2")) << "it runs";
  EXPECT_FALSE(gate.Enter(Job("1", 1)));
}

TEST(TenantGate, ANewLimitHoldsAtOnceForWhatHasNotBegun) {
  TenantGate gate;
  for (int i = 1; i <= 4; ++i) gate.Enter(Job(std::to_string(i), i));
  gate.Begin(Job("4", 4));
  gate.Limit("a", 2);
  EXPECT_THAT(gate.TakeMoves().put_back, ElementsAre("3", "2"));
  EXPECT_EQ(gate.LimitOf("a"), 2);
  EXPECT_EQ(gate.LimitOf("b"), 0);
  gate.Limit("a", 3);
  EXPECT_THAT(gate.TakeMoves().let_in, ElementsAre("2"));
  gate.Limit("a", 0);
  const TenantGate::Moves moves = gate.TakeMoves();
  EXPECT_THAT(moves.let_in, ElementsAre("3"));
  EXPECT_THAT(moves.put_back, IsEmpty());
}

}  // namespace
}  // namespace bitwright::server
