#include <random>
#include <set>

#include "server/jobs/expand.h"
#include "server/jobs/task_digest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {
namespace {

bool SameNode(const TaskNode& a, const TaskNode& b) {
  const auto same_link = [](const TaskNode::Link& x, const TaskNode::Link& y) {
    return x.input == y.input && x.from == y.from && x.output == y.output;
  };
  return a.key == b.key && TaskDigest(a.spec) == TaskDigest(b.spec) && a.memory == b.memory &&
         a.cost_flops == b.cost_flops && a.numeric == b.numeric &&
         std::equal(a.links.begin(), a.links.end(), b.links.begin(), b.links.end(), same_link);
}

ResolvedJob RandomJob(std::mt19937& random) {
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  Shape shape;
  shape.blocks = pick(1, 40);
  shape.hidden = 32 * pick(1, 160);
  shape.intermediate = 32 * pick(1, 400);
  shape.key_value = 32 * pick(1, 4);
  shape.vocabulary = pick(100, 150'000);
  return Job(shape);
}

// More facts: the same nodes first, unchanged, and more may follow.
TEST(Monotone, FactsOnlyAddNodes) {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    const ResolvedJob job = RandomJob(random);
    const int calibration = 1 + random() % 300;
    const int evaluation = 1 + random() % 300;
    const int candidates = 1 + random() % 4;
    std::vector<TaskNode> before;
    for (int level = 0; level <= 4; ++level) {
      ASSERT_OK_AND_ASSIGN(Expansion now, Expand(job, FactsAt(job, level, calibration, evaluation, candidates)));
      ASSERT_GT(now.nodes.size(), before.size());
      for (size_t i = 0; i < before.size(); ++i) ASSERT_TRUE(SameNode(before[i], now.nodes[i])) << before[i].key;
      const Facts facts = FactsAt(job, level, calibration, evaluation, candidates);
      ASSERT_OK_AND_ASSIGN(const Expansion tail, Expand(job, facts, {.known = before.size()}));
      ASSERT_EQ(tail.nodes.size(), now.nodes.size());
      for (size_t i = 0; i < now.nodes.size(); ++i) {
        ASSERT_EQ(tail.nodes[i].key, now.nodes[i].key);
        EXPECT_TRUE(i < before.size() || SameNode(tail.nodes[i], now.nodes[i])) << now.nodes[i].key;
      }
      before = std::move(now.nodes);
    }
  }
}

// The same where plans are chosen on held-out text.
TEST(Monotone, AChoiceOnlyAddsNodes) {
  std::mt19937 random(2);
  for (int round = 0; round < 20; ++round) {
    const ResolvedJob job = RandomJob(random);
    Facts all = FactsAt(job, 4, 64, 32, 4);
    all.calibration->set_held_out_windows(8);
    Facts facts;
    GoalFacts& goal = facts.goal(0);
    std::vector<TaskNode> before;
    std::vector<std::string> last;
    for (int level = 0; level <= 5; ++level) {
      if (level == 1) facts.calibration = all.calibration, facts.evaluation = all.evaluation;
      if (level == 2) goal.allocation = all.goal(0).allocation;
      if (level == 3) goal.choice.emplace().set_selected(2), goal.choice->set_best_uniform(2);
      if (level == 4) goal.selection.emplace().add_candidates()->set_plan(2);
      if (level == 5) goal.provenance = all.goal(0).provenance;
      ASSERT_OK_AND_ASSIGN(Expansion now, Expand(job, facts));
      for (size_t i = 0; i < before.size(); ++i) ASSERT_TRUE(SameNode(before[i], now.nodes[i])) << before[i].key;
      EXPECT_EQ(now.complete, level == 5);
      last.push_back(now.nodes.back().key);
      before = std::move(now.nodes);
    }
    EXPECT_EQ(last,
              (std::vector<std::string>{"tokenize[evaluation]", "allocate", "choose", "select", "assemble", "report"}));
    std::set<std::string> evaluated;  // on the evaluation text
    for (const TaskNode& node : before) {
      if (node.spec.has_evaluate() && !node.key.starts_with("evaluate[held-out"))
        evaluated.insert(node.key.substr(9, 1));
      if (node.spec.has_select()) {
        EXPECT_EQ(std::vector<int>(node.spec.select().plans().begin(), node.spec.select().plans().end()),
                  (std::vector<int>{0, 2}))
            << "the optimizer's, and the one that was chosen";
      }
      if (node.spec.has_assemble()) {
        EXPECT_EQ(node.spec.assemble().candidate(), 2);
      }
    }
    EXPECT_EQ(evaluated, (std::set<std::string>{"0", "2"}));
  }
}

// Whatever a worker says was selected, the task that follows has inputs that there are.
TEST(Monotone, ASelectionOfNoPlanIsOfOneThatThereIs) {
  const ResolvedJob job = Job({});
  for (const int plan : {-1, 7, 1 << 30}) {
    Facts facts = FactsAt(job, 3, 64, 32, 2);
    facts.goal(0).selection->mutable_candidates(1)->set_plan(plan);
    ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, facts));
    const int chosen = expansion.nodes.back().spec.assemble().candidate();
    EXPECT_TRUE(chosen == 0 || chosen == 1) << plan;
  }
}

}  // namespace
}  // namespace bitwright::server
