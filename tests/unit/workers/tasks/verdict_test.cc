#include "workers/tasks/verdict.h"

#include <gmock/gmock.h>

#include <tuple>

namespace bitwright::worker {
namespace {

using ::testing::HasSubstr;

v1::Candidate Candidate(v1::PlanKind kind, int64_t weight_bytes, double average_bits, double kl) {
  v1::Candidate candidate;
  candidate.set_name(kind == v1::PLAN_KIND_MIXED ? "mixed" : "int4-g128");
  candidate.set_kind(kind);
  candidate.set_weight_bytes(weight_bytes);
  candidate.set_average_bits(average_bits);
  candidate.mutable_kl_divergence()->set_mean(kl);
  return candidate;
}

std::string MixedBeside(int64_t mixed_bytes, double mixed_bits) {
  v1::Selection selection;
  *selection.add_candidates() = Candidate(v1::PLAN_KIND_UNIFORM, 1000, 4.125, 0.02);
  *selection.add_candidates() = Candidate(v1::PLAN_KIND_MIXED, mixed_bytes, mixed_bits, 0.01);
  selection.set_selected(1);
  selection.set_best_uniform(0);
  return Verdict(v1::Report(), selection);
}

TEST(Verdict, SaysHowLargeTheMixedPlanIsBesideTheUniformOne) {
  EXPECT_THAT(MixedBeside(1000, 4.125), HasSubstr("; both are of the same size."));
  EXPECT_THAT(MixedBeside(1030, 4.25), HasSubstr("; the best uniform plan leaves 0.12 bits of it unused."));
  EXPECT_THAT(MixedBeside(1001, 4.129), HasSubstr("; the best uniform plan leaves 0.004 bits of it unused."));
  EXPECT_THAT(MixedBeside(970, 4.0), HasSubstr("; it is smaller by 0.12 bits."));
}

TEST(Verdict, NamesWhatWins) {
  EXPECT_THAT(MixedBeside(1000, 4.125), HasSubstr("The mixed plan wins: mixed (4.125 bits"));
  EXPECT_THAT(MixedBeside(1000, 4.125), HasSubstr("0.50 times the KL divergence"));
}

// Of a bound: what was measured of the plan, of the one before it on the front, and of a uniform one.
TEST(Verdict, OfABoundOfQualityShowsThatNoSmallerPlanMeetsIt) {
  v1::Report report;
  report.mutable_budget()->set_max_kl_divergence(0.02);
  v1::Selection selection;
  for (const auto& [plan, bits, kl] : {std::tuple(40, 3.49, 0.0207), {41, 3.52, 0.0191}, {60, 4.0, 0.01}}) {
    v1::Candidate& candidate = *selection.add_candidates();
    candidate = Candidate(v1::PLAN_KIND_MIXED, 1000 + plan, bits, kl);
    candidate.set_plan(plan);
  }
  *selection.add_candidates() = Candidate(v1::PLAN_KIND_UNIFORM, 900, 3.25, 0.05);
  selection.mutable_candidates(3)->set_plan(100);
  selection.set_selected(1);
  selection.set_best_uniform(3);
  const std::string text = Verdict(report, selection);
  EXPECT_THAT(text, HasSubstr("(3.520 bits, KL divergence 0.01910 nats) is the smallest plan of the front with a KL "
                              "divergence of at most 0.02 nats"));
  EXPECT_THAT(text, HasSubstr("the next smaller one, of 3.490 bits, was measured at 0.02070 nats"));
  EXPECT_THAT(text, HasSubstr("The best uniform plan of no more bytes is int4-g128 (3.250 bits"));
  report.mutable_budget()->set_max_perplexity_rise(0.01);
  selection.mutable_candidates(1)->set_perplexity_ratio(1.0095);
  EXPECT_THAT(
      Verdict(report, selection),
      HasSubstr("nats), +0.950 % perplexity, is the smallest plan of the front with a perplexity at most 1 % higher"));
}

}  // namespace
}  // namespace bitwright::worker
