#include "server/jobs/goals.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "proto/contract/task_names.h"
#include "server/jobs/estimate.h"
#include "server/jobs/expand.h"
#include "server/jobs/task_digest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {
namespace {

// A job of one goal.
ResolvedJob OneGoal(const v1::Budget& budget) {
  ResolvedJob job = Job({});
  *job.goals[0].goal.mutable_budget() = budget;
  job.spec = WithGoal(job.spec, job.goals[0].goal);
  return job;
}

// One that has all of theirs.
ResolvedJob AllGoals(const std::vector<ResolvedJob>& jobs) {
  ResolvedJob all = jobs[0];
  all.goals.clear();
  all.spec = WithGoal(all.spec, {});
  for (const ResolvedJob& job : jobs) {
    all.goals.push_back(job.goals[0]);
    *all.spec.add_goals() = job.goals[0].goal;
  }
  return all;
}

v1::Budget Bits(double bits) {
  v1::Budget budget;
  budget.set_average_bits(bits);
  return budget;
}
v1::Budget Bound(double kl) {
  v1::Budget budget;
  budget.set_max_kl_divergence(kl);
  return budget;
}

// A front of so many plans for a job's first target; plan p takes the options of number p.
GoalFacts FrontFacts(const ResolvedJob& job, int plans) {
  auto allocation = std::make_shared<v1::Allocation>(Allocation(job.model->info(), plans));
  for (int p = 0; p < plans; ++p) {
    v1::Plan& plan = *allocation->mutable_candidates(p);
    plan.set_kind(v1::PLAN_KIND_MIXED);
    plan.set_predicted_loss(1.0 / (p + 1));
    plan.set_weight_bytes(100 * (p + 1));
  }
  GoalFacts facts;
  facts.allocation = std::move(allocation);
  return facts;
}

v1::Probe Probed(int plan, double kl) {
  v1::Probe probe;
  probe.set_plan(plan);
  probe.set_kl_divergence(kl);
  return probe;
}

std::map<std::string, const TaskNode*> ByKey(const Expansion& expansion) {
  std::map<std::string, const TaskNode*> nodes;
  for (const TaskNode& node : expansion.nodes) nodes[node.key] = &node;
  return nodes;
}

// A node of a goal behind the first is that of a job of this goal alone: keys and links differ by the goal's mark.
void ExpectSameButForTheMark(const TaskNode& of_many, const TaskNode& alone) {
  EXPECT_EQ(WithoutGoal(of_many.key), alone.key);
  EXPECT_EQ(of_many.spec.SerializeAsString(), alone.spec.SerializeAsString()) << alone.key;
  ASSERT_EQ(of_many.links.size(), alone.links.size()) << alone.key;
  for (size_t i = 0; i < alone.links.size(); ++i) {
    EXPECT_EQ(WithoutGoal(of_many.links[i].from), alone.links[i].from) << alone.key;
    EXPECT_EQ(of_many.links[i].input, alone.links[i].input) << alone.key;
    EXPECT_EQ(of_many.links[i].output, alone.links[i].output) << alone.key;
  }
}

TEST(Goals, EachIsMadeAsInAJobOfItsOwnAndSharesWhatIsAlike) {
  const std::vector<ResolvedJob> alone = {OneGoal(Bits(4.25)), OneGoal(Bits(3))};
  const ResolvedJob both = AllGoals(alone);
  Facts facts = FactsAt(both, 4, 64, 32, 2);
  facts.goal(1) = facts.goal(0);
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(both, facts));
  EXPECT_TRUE(expansion.complete);
  const auto nodes = ByKey(expansion);
  ASSERT_EQ(nodes.size(), expansion.nodes.size()) << "every key once";
  for (int g = 0; g < 2; ++g) {
    ASSERT_OK_AND_ASSIGN(const Expansion one, Expand(alone[static_cast<size_t>(g)], FactsAt(alone[0], 4, 64, 32, 2)));
    size_t own = 0;
    for (const TaskNode& node : one.nodes) {
      const bool marked = nodes.contains(GoalKey(node.key, g));
      own += marked && g > 0;
      ExpectSameButForTheMark(*nodes.at(marked ? GoalKey(node.key, g) : node.key), node);
    }
    if (g == 0) continue;
    EXPECT_EQ(one.nodes.size() + own, expansion.nodes.size());
    for (const char* kind : {TaskKind::kProfile, TaskKind::kCheck, TaskKind::kCalibrate, TaskKind::kCurvature}) {
      for (const TaskNode& node : expansion.nodes) {
        EXPECT_TRUE(node.spec.kind() != kind || GoalOfTaskKey(node.key) == 0) << node.key << " is done once";
      }
    }
  }
}

TEST(Goals, OfDifferentFormatsSharePricesOfNoneButWhatWasMeasuredOfUnits) {
  ResolvedJob vllm = OneGoal(Bits(4.25));
  vllm.goals[0].goal.set_consumer("vllm");
  const ResolvedJob both = AllGoals({OneGoal(Bits(4.25)), vllm});
  Facts facts = FactsAt(both, 4, 64, 32, 2);
  facts.goal(1) = facts.goal(0);
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(both, facts));
  std::map<std::string, int> second;
  for (const TaskNode& node : expansion.nodes) second[node.spec.kind()] += GoalOfTaskKey(node.key) == 1;
  EXPECT_GT(second[TaskKind::kProfile], 0);
  EXPECT_EQ(second[TaskKind::kCheck], 0);
  const auto nodes = ByKey(expansion);
  int checks = 0;
  for (const TaskNode::Link& link : nodes.at(GoalKey(TaskKind::kAllocate, 1))->links) {
    if (link.output == TaskFile::kChecks) checks += nodes.at(link.from)->spec.kind() == TaskKind::kCheck;
  }
  EXPECT_GT(checks, 0);
}

TEST(Goals, NodesComeInOneOrderWhateverGoalIsKnownFirst) {
  const ResolvedJob job = AllGoals({OneGoal(Bits(4.25)), OneGoal(Bits(3)), OneGoal(Bound(0.1))});
  Facts facts = FactsAt(job, 1, 64, 32, 2);
  const Facts all = FactsAt(job, 4, 64, 32, 2);
  std::vector<std::string> before;
  const auto grow = [&] {
    const auto expansion = Expand(job, facts);
    EXPECT_THAT(expansion, IsOk());
    std::vector<std::string> keys;
    for (const TaskNode& node : expansion->nodes) keys.push_back(node.key);
    EXPECT_TRUE(keys.size() >= before.size() && std::equal(before.begin(), before.end(), keys.begin()));
    const bool more = keys.size() > before.size();
    before = std::move(keys);
    return more;
  };
  EXPECT_TRUE(grow());
  facts.goal(2) = FrontFacts(job, 4);
  EXPECT_FALSE(grow()) << "the others' plans are awaited";
  facts.goal(1).allocation = all.goal(0).allocation;
  EXPECT_FALSE(grow());
  facts.goal(0).allocation = all.goal(0).allocation;
  EXPECT_TRUE(grow());
  EXPECT_EQ(before.back(), "probe[0]@2");
  facts.goal(2).probes.push_back(Probed(3, 0.09));  // meets it
  EXPECT_TRUE(grow());
  EXPECT_EQ(before.back(), "probe[1]@2");
  facts.goal(2).probes.push_back(Probed(2, 0.2));  // does not
  EXPECT_TRUE(grow());
  EXPECT_EQ(before.back(), "select@2");
  for (const int g : {2, 0, 1}) {
    facts.goal(g).selection = all.goal(0).selection;
    EXPECT_EQ(grow(), g == 1);
  }
  EXPECT_EQ(before.back(), "assemble@2");
  for (const int g : {2, 0, 1}) facts.goal(g).provenance = all.goal(0).provenance;
  EXPECT_TRUE(grow());
  EXPECT_EQ(before.back(), "report@2");
}

TEST(Goals, ASearchRoundsAndMeasuresOnePlanAtATime) {
  const ResolvedJob job = OneGoal(Bound(0.1));
  Facts facts = FactsAt(job, 1, 64, 20, 2);
  facts.calibration->set_held_out_windows(7);
  facts.goal(0) = FrontFacts(job, 5);
  facts.goal(0).probes = {Probed(4, 0.05), Probed(2, 0.12), Probed(3, 0.11)};
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, facts));
  const auto nodes = ByKey(expansion);
  EXPECT_FALSE(nodes.contains("choose")) << "measuring on the evaluation text is what chooses";
  EXPECT_FALSE(nodes.contains("quantize[plan,1,0]")) << "only what was looked at";
  for (const int plan : {2, 3, 4}) {
    const TaskNode& quantize = *nodes.at(TaskKey(TaskKind::kQuantize, TaskUse::kPlan, plan, 0));
    ASSERT_EQ(quantize.spec.quantize().units(0).formats_size(), 1);
    EXPECT_EQ(quantize.spec.quantize().units(0).formats(0).SerializeAsString(),
              facts.goal(0).allocation->candidates(plan).units(0).format().SerializeAsString());
    const TaskNode& evaluate = *nodes.at(TaskKey(TaskKind::kEvaluate, plan, 1));
    const auto reads = [&](const TaskNode::Link& link) {
      return link.from == quantize.key && link.output == "weights/00000";
    };
    EXPECT_TRUE(std::ranges::any_of(evaluate.links, reads));
  }
  EXPECT_EQ(nodes.at("probe[0]")->spec.probe().plan(), 4);
  EXPECT_EQ(nodes.at("probe[1]")->spec.probe().plan(), 2);
  EXPECT_EQ(nodes.at("probe[2]")->spec.probe().plan(), 3);
  const v1::SelectParams& select = nodes.at("select")->spec.select();
  EXPECT_EQ(std::vector<int>(select.plans().begin(), select.plans().end()), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(select.smallest(), 4);
}

TEST(Goals, ABoundThatNoPlanMeetsSaysWhatWasMeasured) {
  const ResolvedJob job = OneGoal(Bound(0.001));
  Facts facts = FactsAt(job, 1, 64, 20, 2);
  facts.goal(0) = FrontFacts(job, 3);
  facts.goal(0).probes = {Probed(2, 0.0625)};
  const auto expansion = Expand(job, facts);
  EXPECT_THAT(expansion, HasReason("BOUND_NOT_MET"));
  EXPECT_THAT(std::string(expansion.status().message()), ::testing::HasSubstr("0.0625"));
}

TEST(Goals, AnEstimateAddsThemUp) {
  const ResolvedJob one = OneGoal(Bits(4.25));
  const v1::Estimate alone = EstimateJob(one, 1e11);
  ASSERT_EQ(alone.goals_size(), 1);
  EXPECT_EQ(alone.goals(0).artifact_bytes(), alone.artifact_bytes());
  const v1::Estimate both = EstimateJob(AllGoals({one, OneGoal(Bound(0.1))}), 1e11);
  ASSERT_EQ(both.goals_size(), 2);
  EXPECT_EQ(both.artifact_bytes(), both.goals(0).artifact_bytes() + both.goals(1).artifact_bytes());
  EXPECT_EQ(both.goals(1).artifact_bytes(), both.goals(1).largest_artifact_bytes()) << "a bound may ask for that";
  EXPECT_GT(both.seconds(), alone.seconds());
  EXPECT_GT(both.intermediate_bytes(), alone.intermediate_bytes());
  const v1::Estimate apart = EstimateJob(OneGoal(Bound(0.1)), 1e11);
  EXPECT_LT(both.seconds(), alone.seconds() + apart.seconds()) << "calibration and prices are shared";
}

}  // namespace
}  // namespace bitwright::server
