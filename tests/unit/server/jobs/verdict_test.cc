#include "server/jobs/verdict.h"

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

void Add(v1::Selection& selection, v1::PlanKind kind, double kl) {
  v1::Candidate& candidate = *selection.add_candidates();
  candidate.set_kind(kind);
  candidate.mutable_kl_divergence()->set_mean(kl);
}

v1::Selection MixedAndUniform(double mixed, double uniform, int selected) {
  v1::Selection selection;
  Add(selection, v1::PLAN_KIND_MIXED, mixed);
  Add(selection, v1::PLAN_KIND_UNIFORM, uniform);
  selection.set_selected(selected);
  selection.set_best_uniform(1);
  return selection;
}

TEST(Verdict, ComparesTheSelectedPlanWithTheOtherKind) {
  v1::Budget budget;
  budget.set_average_bits(4);
  EXPECT_EQ(VerdictOf(budget, MixedAndUniform(0.1, 0.2, 0)), "mixed_better");
  EXPECT_EQ(VerdictOf(budget, MixedAndUniform(0.3, 0.2, 0)), "mixed_worse");
  EXPECT_EQ(VerdictOf(budget, MixedAndUniform(0.3, 0.2, 1)), "uniform_better");
  EXPECT_EQ(VerdictOf(budget, MixedAndUniform(0.1, 0.2, 1)), "uniform_worse");
}

TEST(Verdict, SaysThatNothingWasMeasuredBesideIt) {
  v1::Budget budget;
  budget.set_artifact_bytes(1000);
  v1::Selection selection;
  Add(selection, v1::PLAN_KIND_MIXED, 0.1);
  selection.set_best_uniform(-1);
  EXPECT_EQ(VerdictOf(budget, selection), "alone");
  selection.mutable_candidates(0)->set_kind(v1::PLAN_KIND_UNIFORM);
  selection.set_best_uniform(0);
  EXPECT_EQ(VerdictOf(budget, selection), "alone");
}

TEST(Verdict, IsAWordOfTheList) {
  v1::Budget budget;
  budget.set_average_bits(4);
  for (const int selected : {0, 1}) {
    for (const double mixed : {0.1, 0.3}) {
      EXPECT_THAT(kVerdicts, ::testing::Contains(VerdictOf(budget, MixedAndUniform(mixed, 0.2, selected))));
    }
  }
}

TEST(Verdict, UnderABoundIsThatItIsMet) {
  v1::Budget budget;
  budget.set_max_kl_divergence(0.5);
  EXPECT_EQ(VerdictOf(budget, MixedAndUniform(0.1, 0.2, 0)), "bound_met");
}

}  // namespace
}  // namespace bitwright::server
