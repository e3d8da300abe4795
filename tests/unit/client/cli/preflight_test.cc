#include "client/cli/preflight.h"

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

class PreflightTest : public ::testing::Test {
 protected:
  PreflightTest() {
    server_.add_architectures()->set_architecture("LlamaForCausalLM");
    server_.add_targets()->set_name("compressed-tensors");
    draft_.spec.set_target("compressed-tensors");
    draft_.model = ModelDir{dir_.path(), {}, {}};
    Config("{\"architectures\": [\"LlamaForCausalLM\"]}");
  }
  void Config(const std::string& text) { BITWRIGHT_EXPECT_OK(WriteWholeFile(dir_ / "config.json", text)); }

  TempDir dir_;
  v1::Capabilities server_;
  JobDraft draft_;
};

TEST_F(PreflightTest, WhatTheServerKnowsPasses) { EXPECT_THAT(CheckAgainst(server_, draft_), IsOk()); }

TEST_F(PreflightTest, OtherArchitecturesAreRefusedByName) {
  Config("{\"architectures\": [\"FalconForCausalLM\"]}");
  const absl::Status status = CheckAgainst(server_, draft_);
  EXPECT_THAT(status, HasReason("ARCHITECTURE_UNSUPPORTED"));
  EXPECT_NE(status.message().find("FalconForCausalLM"), absl::string_view::npos);
  EXPECT_NE(status.message().find("LlamaForCausalLM"), absl::string_view::npos);
}

TEST_F(PreflightTest, WhatOnlyTheInspectionCanTellIsLeftToIt) {
  for (const char* text : {"", "[]", "{}", "{\"architectures\": 3}", "{\"architectures\": [3]}"}) {
    Config(text);
    EXPECT_THAT(CheckAgainst(server_, draft_), IsOk()) << text;
  }
  EXPECT_THAT(CheckAgainst(v1::Capabilities(), draft_), IsOk()) << "a server that says nothing of itself";
}

TEST_F(PreflightTest, OtherTargetsAreRefusedWithTheNearest) {
  draft_.spec.set_target("compressed-tensor");
  const absl::Status status = CheckAgainst(server_, draft_);
  EXPECT_THAT(status, HasReason("TARGET_UNKNOWN"));
  EXPECT_NE(status.message().find("did you mean 'compressed-tensors'"), absl::string_view::npos) << status;
}

TEST(NeededBytes, IsInProportionToTheBits) {
  v1::GoalEstimate estimate;
  v1::Budget& budget = *estimate.mutable_goal()->mutable_budget();
  budget.set_average_bits(5);
  EXPECT_EQ(NeededBytes(estimate), 0);
  estimate.set_artifact_bytes(1000);
  EXPECT_EQ(NeededBytes(estimate), 1000);
  estimate.set_smallest_average_bits(2);
  estimate.set_largest_average_bits(8);
  estimate.set_smallest_artifact_bytes(400);
  estimate.set_largest_artifact_bytes(1000);
  EXPECT_EQ(NeededBytes(estimate), 700);
  budget.set_average_bits(1);
  EXPECT_EQ(NeededBytes(estimate), 400);
  budget.set_artifact_bytes(650);
  EXPECT_EQ(NeededBytes(estimate), 650);
  budget.set_max_kl_divergence(0.05);
  EXPECT_EQ(NeededBytes(estimate), 1000) << "its size is not known before it is measured";
}

TEST(NeededBytes, SomethingIsKnownBeforeAnyEstimate) {
  v1::Budget budget;
  budget.set_artifact_bytes(650);
  EXPECT_EQ(NeededBytes(1'000'000, budget), 650);
  budget.set_average_bits(4);
  EXPECT_EQ(NeededBytes(1'000'000, budget), 125'000);
  EXPECT_EQ(NeededBytes(0, budget), 1);
}

}  // namespace
}  // namespace bitwright::client
