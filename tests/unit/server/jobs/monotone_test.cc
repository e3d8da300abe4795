#include <random>

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
  return a.key == b.key && TaskDigest(a.spec) == TaskDigest(b.spec) && a.memory_bytes == b.memory_bytes &&
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

}  // namespace
}  // namespace bitwright::server
