#include "workers/tasks/verdict.h"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace bitwright::worker
