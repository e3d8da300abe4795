#include "server/jobs/estimate.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "proto/base/log.h"
#include "proto/contract/budget_kind.h"
#include "server/jobs/bound_search.h"
#include "server/jobs/budget_check.h"
#include "server/jobs/cuts.h"
#include "server/jobs/expand.h"
#include "server/jobs/goals.h"
#include "server/jobs/recipe_check.h"
#include "server/jobs/texts.h"

namespace bitwright::server {
namespace {

constexpr int kAssumedUniform = 2;       // plans with one format that are worth measuring, where the recipe says "all"
constexpr double kBytesPerSecond = 5e8;  // copying and hashing
constexpr int64_t kBytesPerScoredToken = 25;  // of an evaluate output: three f64 and a byte

constexpr int kAssumedFront = 16;  // plans of a front that a bound of quality is looked for on

// One goal, with what it can come to.
struct GoalSize {
  const v1::Goal& goal;
  const v1::TargetInfo& target;
  PlanLimits limits;
  int64_t plan_bytes;  // most that the budget lets the quantized weights of one plan take
};

int64_t PlanBytes(const v1::Budget& budget, const v1::TargetInfo& target, const PlanLimits& limits) {
  if (IsBound(budget)) return limits.largest_weight_bytes;
  const double bytes =
      budget.has_average_bits()
          ? budget.average_bits() * target.quantized_weights() / 8
          : static_cast<double>(budget.artifact_bytes() - target.kept_bytes() - target.overhead_bytes());
  return std::min(limits.largest_weight_bytes, static_cast<int64_t>(std::min(bytes, 9e18)));
}

std::vector<GoalSize> SizesOf(const ResolvedJob& job) {
  std::vector<GoalSize> sizes;
  for (size_t g = 0; g < job.goals.size(); ++g) {
    const ResolvedGoal& goal = job.goals[g];
    const v1::TargetInfo& target = *job.target(static_cast<int>(g));
    const PlanLimits limits = LimitsOf(target, goal.recipe);
    sizes.push_back({goal.goal, target, limits, PlanBytes(goal.goal.budget(), target, limits)});
  }
  return sizes;
}

int AssumedCandidates(const v1::Recipe& recipe) {
  const int uniform = recipe.candidates().uniform() == 0 ? kAssumedUniform : recipe.candidates().uniform();
  return std::min(uniform, kAssumedUniform) + (recipe.candidates().mixed() ? 1 : 0);
}

// A text of so many tokens.
v1::TokenizeSummary AssumedSummary(int64_t tokens, int window, int most_held_out) {
  v1::TokenizeSummary summary;
  summary.set_windows(static_cast<int>(std::max<int64_t>(1, tokens / window)));
  summary.set_window(window);
  summary.set_held_out_windows(std::min(most_held_out, summary.windows() / 8));
  return summary;
}

// A question is taken to have about kQuestionBytes, and four choices of kSequenceTokens tokens.
v1::QuestionsSummary AssumedQuestions(const v1::ChoiceFile& file) {
  constexpr int64_t kQuestionBytes = 600;
  constexpr int kSequenceTokens = 128, kShardSequences = 64;
  int64_t questions = std::max<int64_t>(1, file.blob().size_bytes() / kQuestionBytes);
  if (file.questions() > 0) questions = std::min<int64_t>(questions, file.questions());
  const int sequences = static_cast<int>(std::min<int64_t>(4 * questions, 1 << 20));
  v1::QuestionsSummary summary;
  for (int begin = 0; begin < sequences; begin += kShardSequences) {
    auto& shard = *summary.add_shards();
    shard.mutable_sequences()->set_begin(begin);
    shard.mutable_sequences()->set_end(std::min(sequences, begin + kShardSequences));
    shard.set_window(kSequenceTokens);
  }
  return summary;
}

// A front of which the bound is met from the middle on, measured until that is found.
void AssumeSearch(const v1::Budget& bound, GoalFacts& facts) {
  while (const auto next = SearchBound(bound, *facts.allocation, facts.probes).next) {
    const bool meets = 2 * *next >= FrontPlans(*facts.allocation);
    v1::Probe& probe = facts.probes.emplace_back();
    probe.set_plan(*next);
    probe.set_kl_divergence(meets ? bound.max_kl_divergence() : 2 * bound.max_kl_divergence() + 1);
    probe.set_perplexity_ratio(1 + (meets ? bound.max_perplexity_rise() : 2 * bound.max_perplexity_rise() + 1));
  }
}

void AssumeGoal(const ResolvedGoal& goal, GoalFacts& facts) {
  const bool search = IsBound(goal.goal.budget());
  if (!facts.allocation) {
    auto assumed = std::make_shared<v1::Allocation>();
    for (int c = 0; search && c < kAssumedFront; ++c) assumed->add_candidates()->set_predicted_loss(kAssumedFront - c);
    for (int c = 0; !search && c < AssumedCandidates(goal.recipe); ++c) {
      const bool mixed = c == 0 && goal.recipe.candidates().mixed();
      assumed->add_candidates()->set_kind(mixed ? v1::PLAN_KIND_MIXED : v1::PLAN_KIND_UNIFORM);
    }
    facts.allocation = std::move(assumed);
  }
  if (search) AssumeSearch(goal.goal.budget(), facts);
  if (!facts.choice) facts.choice.emplace().set_best_uniform(facts.allocation->candidates_size() - 1);
  if (!facts.selection) facts.selection.emplace();
  if (!facts.provenance) facts.provenance.emplace();
}

// What a job is where nothing is known of it yet: files of the wanted length, plans of full size.
Facts WithAssumed(const ResolvedJob& job, Facts facts) {
  if (!facts.calibration) {
    int64_t tokens = 0;
    for (const v1::Data& text : job.spec.calibration()) tokens += text.tokens();
    facts.calibration = AssumedSummary(tokens, job.calibration_window(), kHeldOutWindows);
  }
  facts.evaluation.resize(static_cast<size_t>(job.spec.evaluation_size()));
  for (int t = 0; t < job.spec.evaluation_size(); ++t) {
    auto& summary = facts.evaluation[static_cast<size_t>(t)];
    if (!summary) summary = AssumedSummary(job.spec.evaluation(t).tokens(), job.evaluation_window(), 0);
  }
  facts.questions.resize(static_cast<size_t>(job.spec.choices_size()));
  for (int f = 0; f < job.spec.choices_size(); ++f) {
    auto& summary = facts.questions[static_cast<size_t>(f)];
    if (!summary) summary = AssumedQuestions(job.spec.choices(f));
  }
  for (size_t g = 0; g < job.goals.size(); ++g) AssumeGoal(job.goals[g], facts.goal(static_cast<int>(g)));
  return facts;
}

// Plans that are rounded, and measured.
int PlansTried(const ResolvedGoal& goal, const GoalFacts& facts) {
  return IsBound(goal.goal.budget()) ? static_cast<int>(facts.probes.size()) + 1 : facts.allocation->candidates_size();
}

double IntermediateBytes(const ResolvedJob& job, const Facts& facts, const std::vector<GoalSize>& sizes) {
  const v1::ModelInfo& info = job.model->info();
  const Cuts cuts = CutJob(info, job.recipe, facts.calibration->windows(), facts.calibration->window(), {});
  const double calibration = double{1} * facts.calibration->windows() * facts.calibration->window();
  const double evaluation =
      static_cast<double>(WindowsOf(*EvaluationSummaries(job.spec, facts))) * job.evaluation_window();
  const double profile = double{1} * cuts.profile_windows * facts.calibration->window();
  const double row = 4.0 * info.hidden_size();
  const double ranges = static_cast<double>(cuts.ranges.size());
  double outputs = 0;  // rows of all linears: the diagonal of G
  for (const v1::UnitInfo& unit : info.units()) {
    for (const auto& linear : unit.linears()) outputs += static_cast<double>(linear.out_features());
  }
  const double copies = cuts.shards.size() + (cuts.shards.size() > 1 ? 1 : 0);
  const double held_out = double{1} * facts.calibration->held_out_windows() * facts.calibration->window();
  double plans = 0;  // their weights, and what evaluations of them say
  for (size_t g = 0; g < sizes.size(); ++g) {
    const int tried = PlansTried(job.goals[g], facts.goal(static_cast<int>(g)));
    plans += tried * (static_cast<double>(sizes[g].plan_bytes) + kBytesPerScoredToken * (evaluation + held_out));
  }
  return 4 * (calibration + held_out + evaluation) + row * (evaluation + held_out + profile * (2 * ranges - 1)) +
         4 * outputs * static_cast<double>(cuts.curvature.size()) + row * calibration * (ranges - 1) +
         copies * info.statistics_bytes() + plans;
}

// Who loads an artifact of some plan, and who none.
void FillLoadable(const v1::TargetInfo& target, v1::GoalEstimate& estimate) {
  std::string load, refuse;
  for (const v1::ConsumerInfo& consumer : target.consumers()) {
    const bool loads = consumer.refusal().empty();
    std::string& text = loads ? load : refuse;
    text += (text.empty() ? "" : "; ") + consumer.program() + (loads ? "" : ": " + consumer.refusal());
  }
  estimate.set_loadable(!load.empty());
  estimate.set_loadable_reason(load.empty() ? refuse : refuse.empty() ? load : load + "; not " + refuse);
}

v1::GoalEstimate EstimateOf(const GoalSize& size) {
  v1::GoalEstimate estimate;
  *estimate.mutable_goal() = size.goal;
  estimate.set_artifact_bytes(size.plan_bytes + size.target.kept_bytes() + size.target.overhead_bytes());
  estimate.set_smallest_average_bits(size.limits.smallest_average_bits);
  estimate.set_largest_average_bits(size.limits.largest_average_bits);
  estimate.set_smallest_artifact_bytes(size.limits.smallest_artifact_bytes);
  estimate.set_largest_artifact_bytes(size.limits.largest_artifact_bytes);
  FillLoadable(size.target, estimate);
  return estimate;
}

void FillGoals(const std::vector<GoalSize>& sizes, v1::Estimate& estimate) {
  for (const GoalSize& size : sizes) {
    *estimate.add_goals() = EstimateOf(size);
    estimate.set_artifact_bytes(estimate.artifact_bytes() + estimate.goals().rbegin()->artifact_bytes());
  }
  const v1::GoalEstimate& first = estimate.goals(0);
  estimate.set_smallest_average_bits(first.smallest_average_bits());
  estimate.set_largest_average_bits(first.largest_average_bits());
  estimate.set_smallest_artifact_bytes(first.smallest_artifact_bytes());
  estimate.set_largest_artifact_bytes(first.largest_artifact_bytes());
  estimate.set_loadable(first.loadable());
  estimate.set_loadable_reason(first.loadable_reason());
}

int64_t Rounded(double bytes) { return static_cast<int64_t>(std::ceil(std::min(bytes, 9e18))); }

}  // namespace

JobSize SizeJob(const ResolvedJob& job) {
  const std::vector<GoalSize> sizes = SizesOf(job);
  const Facts facts = WithAssumed(job, {});
  const auto expansion = Expand(job, facts, {.nodes = NodeDetail::kSize});
  CHECK(expansion.ok()) << expansion.status();
  JobSize size;
  int64_t peak = 0, thread = 0, on_device = 0, on_host = 0;
  for (const TaskNode& node : expansion->nodes) {
    size.flops += node.cost_flops;
    peak = std::max(peak, node.memory.bytes);
    thread = std::max(thread, node.memory.thread_bytes);
    if (node.numeric) on_device = std::max(on_device, node.memory.On(1));
    on_host = std::max(on_host, node.numeric ? node.memory.host_bytes : node.memory.bytes);
  }
  v1::Estimate& estimate = size.estimate;
  estimate.set_intermediate_bytes(Rounded(IntermediateBytes(job, facts, sizes)));
  estimate.set_peak_memory_bytes(peak);
  estimate.set_thread_memory_bytes(thread);
  estimate.set_peak_device_memory_bytes(on_device);
  estimate.set_peak_host_memory_bytes(on_host);
  FillGoals(sizes, estimate);
  estimate.set_tasks(static_cast<int>(expansion->nodes.size()));
  return size;
}

v1::Estimate EstimateAt(const JobSize& size, double flops_per_second) {
  v1::Estimate estimate = size.estimate;
  estimate.set_seconds(size.flops / std::max(1.0, flops_per_second) +
                       static_cast<double>(estimate.intermediate_bytes()) / kBytesPerSecond);
  return estimate;
}

v1::Estimate EstimateJob(const ResolvedJob& job, double flops_per_second) {
  return EstimateAt(SizeJob(job), flops_per_second);
}

CostForecast ForecastCosts(const ResolvedJob& job, const Facts& facts) {
  for (int g = 0; g < static_cast<int>(job.goals.size()); ++g) {
    if (job.target(g) == nullptr) return {};
  }
  const auto expansion = Expand(job, WithAssumed(job, facts), {.nodes = NodeDetail::kSize});
  CHECK(expansion.ok()) << expansion.status();
  CostForecast forecast;
  for (const TaskNode& node : expansion->nodes) {
    forecast.weights[node.spec.kind()] += WeightOf(node);
    forecast.total += WeightOf(node);
  }
  return forecast;
}

}  // namespace bitwright::server
