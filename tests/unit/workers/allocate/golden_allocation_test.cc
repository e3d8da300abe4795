#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/allocate/knapsack.h"

// Instances whose optima an independent solver found and proved.
namespace bitwright::worker {
namespace {

void CheckInstance(const nlohmann::json& instance) {
  SCOPED_TRACE(instance["name"].get<std::string>());
  std::vector<std::vector<Option>> units;
  for (const auto& options : instance["classes"]) {
    units.emplace_back();
    for (const auto& option : options) units.back().push_back({option["bytes"], option["loss"]});
  }
  const int64_t budget = instance["budget"];
  const nlohmann::json& solution = instance["solution"];
  const absl::StatusOr<Choice> choice = Solve(units, budget);
  if (solution["status"] == "infeasible") {
    EXPECT_THAT(choice, HasReason("BUDGET_BELOW_SMALLEST_PLAN"));
    return;
  }
  ASSERT_TRUE(choice.ok()) << choice.status();
  const double expected = solution["loss"];
  EXPECT_NEAR(choice->loss, expected, 1e-9 * expected);
  EXPECT_LE(choice->bytes, budget);
  EXPECT_LE(choice->bound, choice->loss);
  EXPECT_LE(choice->bound, expected * (1 + 1e-9));
  EXPECT_GE(choice->bound, solution["lp_bound"].get<double>() * (1 - 1e-9));
  EXPECT_TRUE(choice->proved_optimal) << choice->loss - choice->bound;
  EXPECT_NEAR(choice->lambda, solution["lp_lambda"].get<double>(), 1e-9 * choice->lambda);
  int64_t bytes = 0;
  double loss = 0;
  for (size_t c = 0; c < units.size(); ++c) {
    bytes += units[c][choice->option[c]].bytes;
    loss += units[c][choice->option[c]].loss;
  }
  EXPECT_EQ(bytes, choice->bytes);
  EXPECT_EQ(loss, choice->loss);
}

void CheckFile(const std::string& path) {
  std::ifstream stream(path);
  const nlohmann::json file = nlohmann::json::parse(stream);
  EXPECT_FALSE(file["instances"].empty());
  for (const auto& instance : file["instances"]) CheckInstance(instance);
}

TEST(GoldenAllocationTest, EveryOptimumOfTheReference) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  CheckFile(*shared + "/fixtures/allocation/instances.json");
}

TEST(GoldenAllocationTest, TheCopyBesideTheTests) { CheckFile(SourcePath("tests/golden/allocate/instances.json")); }

}  // namespace
}  // namespace bitwright::worker
