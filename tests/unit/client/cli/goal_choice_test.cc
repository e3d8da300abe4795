#include "client/cli/goal_choice.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "proto/report/job_goals.h"
#include "tests/support/status_matchers.h"

namespace bitwright::client {
namespace {

using ::testing::ElementsAre;

// "name: target for consumer, budget" of each.
std::vector<std::string> Texts(const absl::StatusOr<std::vector<GoalChoice>>& choices) {
  if (!choices.ok()) return {choices.status().ToString()};
  std::vector<std::string> texts;
  for (const GoalChoice& choice : *choices) texts.push_back(absl::StrCat(choice.name, ": ", GoalText(choice.goal)));
  return texts;
}

v1::JobSpec Job(const JobOptions& options) {
  std::vector<v1::Goal> goals;
  const auto choices = ChooseGoals(options);
  for (const GoalChoice& choice : *choices) goals.push_back(choice.goal);
  v1::JobSpec spec;
  SetGoals(goals, spec);
  return spec;
}

TEST(GoalChoice, EveryBudgetForEveryTarget) {
  JobOptions options;
  EXPECT_THAT(Texts(ChooseGoals(options)), ElementsAre(": compressed-tensors"));
  options.budgets = {"3 bpw", "12000000B"};
  options.max_ppl_rise = {"1%"};
  EXPECT_THAT(
      Texts(ChooseGoals(options)),
      ElementsAre("3bpw: compressed-tensors, 3 bits per weight", "12000000B: compressed-tensors, 12,000,000 bytes",
                  "ppl=1%: compressed-tensors, perplexity at most 1 % above the unquantized model's"));
  options.budgets = {"3bpw"};
  options.max_ppl_rise.clear();
  options.target = "gguf,gptq";
  EXPECT_THAT(Texts(ChooseGoals(options)),
              ElementsAre("gguf-3bpw: gguf, 3 bits per weight", "gptq-3bpw: gptq, 3 bits per weight"));
}

TEST(GoalChoice, AConsumerHoldsForWhatItLoads) {
  JobOptions options;
  options.target = "compressed-tensors,gguf";
  options.consumer = "vllm";
  EXPECT_THAT(Texts(ChooseGoals(options)),
              ElementsAre("compressed-tensors: compressed-tensors for vllm", "gguf: gguf"));
  options.consumer = "browser";
  EXPECT_THAT(Texts(ChooseGoals(options)),
              ElementsAre("compressed-tensors: compressed-tensors for browser", "gguf: gguf for browser"))
      << "the service says what there is";
  options.target = "of-tomorrow,gguf";
  EXPECT_THAT(Texts(ChooseGoals(options)), ElementsAre("of-tomorrow: of-tomorrow for browser", "gguf: gguf"));
}

TEST(GoalChoice, RefusesWhatIsNamedTwiceOrTooMuch) {
  const auto with = [](const std::vector<std::string>& budgets, const std::vector<std::string>& kld,
                       const std::string& target) {
    JobOptions options;
    options.budgets = budgets;
    options.max_kld = kld;
    options.target = target;
    return ChooseGoals(options);
  };
  EXPECT_THAT(with({"12MB,12000000B"}, {}, "gguf"), HasReason("BUDGET_INVALID"));
  EXPECT_THAT(with({"kld=0.05"}, {"0.050"}, "gguf"), HasReason("BUDGET_INVALID"));
  EXPECT_THAT(with({"3bpw,"}, {}, "gguf"), HasReason("BUDGET_INVALID"));
  EXPECT_THAT(with({"3bpw"}, {}, "gguf,gguf"), HasReason("TARGETS_INVALID"));
  std::string many = "1MB";
  for (int n = 2; n <= 8; ++n) absl::StrAppend(&many, ",", n, "MB");
  EXPECT_EQ(with({many}, {}, "gguf,gptq")->size(), 16u);
  EXPECT_THAT(with({many}, {"0.1"}, "gguf,gptq"), HasReason("GOALS_INVALID"));
}

TEST(GoalChoice, AChangeLeavesTheRest) {
  JobOptions first;
  first.target = "compressed-tensors,gguf";
  first.budgets = {"3bpw", "12MB"};
  const v1::JobSpec job = Job(first);
  const auto changed = [&](const std::set<std::string>& given, const JobOptions& options) {
    JobOptions typed = options;
    typed.given = given;
    return Texts(ChangeGoals(job, typed));
  };
  JobOptions options;
  EXPECT_THAT(changed({}, options),
              ElementsAre("compressed-tensors-3bpw: compressed-tensors, 3 bits per weight",
                          "compressed-tensors-12MB: compressed-tensors, 12,000,000 bytes",
                          "gguf-3bpw: gguf, 3 bits per weight", "gguf-12MB: gguf, 12,000,000 bytes"));
  options.target = "gptq";
  EXPECT_THAT(changed({"--target"}, options),
              ElementsAre("3bpw: gptq, 3 bits per weight", "12MB: gptq, 12,000,000 bytes"));
  options.consumer = "llama.cpp";
  EXPECT_THAT(changed({"--consumer"}, options),
              ElementsAre("compressed-tensors-3bpw: compressed-tensors, 3 bits per weight",
                          "compressed-tensors-12MB: compressed-tensors, 12,000,000 bytes",
                          "gguf-3bpw: gguf for llama.cpp, 3 bits per weight",
                          "gguf-12MB: gguf for llama.cpp, 12,000,000 bytes"));
  options.budgets = {"4bpw"};
  EXPECT_THAT(changed({"--budget"}, options),
              ElementsAre("compressed-tensors-4bpw: compressed-tensors, 4 bits per weight",
                          "gguf-4bpw: gguf, 4 bits per weight"));
  EXPECT_THAT(changed({"--budget", "--target"}, options), ElementsAre("4bpw: gptq, 4 bits per weight"));
}

}  // namespace
}  // namespace bitwright::client
